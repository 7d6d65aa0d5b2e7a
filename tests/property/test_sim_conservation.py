"""Equity, fees and what others hold sum to the deposits, to the last digit, whatever happens.

Crashing prices, funding hours, liquidations, deleveraging, transfers and halts included.
"""

import random
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.market.types import Coin, Side
from agents.sim.exchange import Exchange
from agents.sim.market import RestingOrder
from agents.sim.outputs import LiquidationRow
from agents.sim.universe import default_universe

USERS = [f"0x{i}{i}" + "0" * 38 for i in range(1, 4)]
DEPOSIT_USD = Decimal("2000.123456")
START_PX = {"BTC": Decimal(84_000), "xyz:CRCL": Decimal(86)}
ASSET_ID = {"BTC": 0, "xyz:CRCL": 110_005}
LOT = {"BTC": Decimal("0.001"), "xyz:CRCL": Decimal(1)}
USDC = "USDC:0x6d1e7cde53ba9467b783cb7c530ce054"


class Run:
    """An exchange under random trade, with flow on both sides of a moving price."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.exchange = Exchange(default_universe())
        for user in USERS:
            self.exchange.fund(user, DEPOSIT_USD)
        self.now_ms = 1_795_000_000_000
        self.nonce = self.now_ms
        self.px = dict(START_PX)
        self.liquidations = 0

    def submit(self, user: str, action: dict[str, Any]) -> None:
        self.nonce += 1
        self.exchange.submit(self.nonce, user, action, self.nonce)

    def step(self) -> None:
        rng, coin = self.rng, self.rng.choice(sorted(START_PX))
        kind = rng.random()
        self.now_ms += 3_600_000 if kind > 0.98 else 70
        self.nonce = max(self.nonce, self.now_ms)
        self.exchange.begin(self.now_ms)
        if kind < 0.25:
            self.move(coin)
        elif kind < 0.8:
            self.order(coin)
        elif kind < 0.9:
            action = {"type": "updateLeverage", "asset": ASSET_ID[coin], "leverage": 10}
            self.submit(rng.choice(USERS), action | {"isCross": rng.random() < 0.5})
        elif kind < 0.97:
            self.send()
        elif kind > 0.995:
            self.exchange.halt(Coin(coin), halted=True)
            self.exchange.halt(Coin(coin), halted=False)
        for output in self.exchange.block(self.now_ms):
            self.liquidations += isinstance(output, LiquidationRow)

    def move(self, coin: str) -> None:
        """The price jumps; flow trades through what is there and quotes around the new price."""
        px = self.px[coin] * Decimal(self.rng.choice(["0.93", "0.98", "1.02", "1.08"]))
        self.px[coin] = px = min(max(round(px, 1), START_PX[coin] / 4), START_PX[coin] * 4)
        px = px.quantize(Decimal(1))
        for side, tif, away in ((Side.BID, "Ioc", 0), (Side.ASK, "Ioc", 0), (Side.BID, "Gtc", 1),
                                (Side.ASK, "Gtc", 1)):  # fmt: skip
            sz = LOT[coin] * self.rng.randint(1, 40)
            oid = self.exchange.next_oid()
            at = px - side.sign * away
            order = RestingOrder(oid, f"flow:{side.name}", side, at, sz, sz, self.now_ms, None)
            order.tif = "Ioc" if tif == "Ioc" else "Gtc"
            self.exchange.place_flow(Coin(coin), order)
        self.exchange.set_oracle(Coin(coin), px)

    def order(self, coin: str) -> None:
        px = self.px[coin].quantize(Decimal(1)) + self.rng.randint(-1, 1)
        sz = LOT[coin] * self.rng.randint(1, 300)
        tif = self.rng.choice(["Gtc", "Ioc"])
        wire = {"a": ASSET_ID[coin], "b": self.rng.random() < 0.5, "p": str(px), "s": str(sz)}
        wire |= {"r": self.rng.random() < 0.1, "t": {"limit": {"tif": tif}}}
        order = {"type": "order", "orders": [wire], "grouping": "na"}
        self.submit(self.rng.choice(USERS), order)

    def send(self) -> None:
        ends = self.rng.sample(["", "xyz", "spot"], 2)
        amount = str(Decimal(self.rng.randint(1, 10**9)) / 10**6)
        user = self.rng.choice(USERS)
        action = {"type": "agentSendAsset", "destination": user, "token": USDC, "amount": amount}
        action |= {"sourceDex": ends[0], "destinationDex": ends[1], "fromSubAccount": ""}
        self.submit(user, action | {"nonce": self.nonce + 1})

    def check(self) -> None:
        floor = self.exchange.floor
        cash = floor.withdrawn_usd
        for account in floor.accounts.values():
            cash += account.spot.get("USDC", Decimal(0))
            for dex in ("", "xyz"):
                clearing = account.clearing(dex)
                cash += clearing.raw_usd
                cash += sum((p.raw_usd for p in clearing.positions.values()), Decimal(0))
        for dex in ("", "xyz"):
            cash += floor.collected_usd[dex] + floor.outside_usd[dex]
        assert cash == floor.deposited_usd[""] + floor.deposited_usd["xyz"]
        for coin in map(Coin, START_PX):
            held = sum(
                (a.clearing(floor.listing(coin).dex).szi(coin) for a in floor.accounts.values()),
                Decimal(0),
            )
            assert held + floor.outside_sz.get(coin, Decimal(0)) == 0
        for account in floor.accounts.values():
            for dex, clearing in account.clearings.items():
                for coin, hold in clearing.holds.items():
                    resting = [
                        record.order
                        for record in account.open.values()
                        if record.coin == coin and not record.order.reduce_only
                    ]
                    bids = sum(o.px * o.sz for o in resting if o.side is Side.BID)
                    asks = sum(o.px * o.sz for o in resting if o.side is Side.ASK)
                    assert (hold.bid_usd, hold.ask_usd) == (bids, asks), dex


@given(seed=st.integers(0, 2**32), length=st.integers(0, 150))
@settings(max_examples=25, deadline=None)
@example(seed=3, length=800)
def test_money_only_moves(seed: int, length: int) -> None:
    run = Run(seed)
    for _ in range(length):
        run.step()
        run.check()
    state = run.exchange.snapshot()
    twin = Exchange(default_universe())
    twin.restore(state)
    assert twin.snapshot() == state


def test_the_random_runs_do_liquidate() -> None:
    run = Run(3)
    for _ in range(800):
        run.step()
    assert run.liquidations > 5
