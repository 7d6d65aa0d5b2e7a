"""An hour of an account's life at the embedded exchange, told to a ledger by the gateway's core.

Prices walk, takers come, our quotes fill in part; a person trades by hand, moves money between
DEXs, is liquidated in one market and deleveraged in another; funding is paid at the full hour.
What the venue tells arrives late, in any order, and sometimes twice.
"""

import heapq
import random
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from agents.exchange.registry import DexInfo, Registry
from agents.market.types import Coin, Side
from agents.sim.exchange import Exchange
from agents.sim.market import RestingOrder
from agents.sim.outputs import AccountChanged, FillRow, FundingRow, LedgerRow, LiquidationRow
from agents.sim.universe import AssetSpec, DexSpec, Universe
from fleet.gateway.core.cloids import lease_prefix
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import Effect, Record
from fleet.gateway.core.market_frames import market_seen
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Body, Equity, Moved
from fleet.ledger.tail import Tail
from fleet.ledger.writer import Ledger
from tests.simulation.gateway_world import fresh_state

ME, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20
START_MS: Final = 1_795_000_000_000 - 1_795_000_000_000 % 3_600_000 + 3_600_000 - 300_000
STEP_MS: Final = 1_000
FUND: Final = Decimal(200_000)
COINS: Final = {"BTC": "84000", "ETH": "2640", "hyna:BTC": "84000"}
TOKEN: Final = {"USDC": "0x6d1e7cde53ba9467b783cb7c530ce054", "USDE": "0x" + "2e" * 16}


def _asset(name: str, decimals: int, px: str, **more: Any) -> AssetSpec:
    return AssetSpec(
        name=Coin(name), sz_decimals=decimals, leverage_max=25, start_px=Decimal(px), **more
    )


def universe() -> Universe:
    main = (_asset("BTC", 5, COINS["BTC"]), _asset("ETH", 4, COINS["ETH"]))
    hyna = (_asset("hyna:BTC", 5, COINS["hyna:BTC"], deployer_fee_scale=Decimal("0.1")),)
    return Universe((
        DexSpec(name="", full_name="", token="USDC", assets=main),
        DexSpec(name="hyna", full_name="", token="USDE", assets=hyna, deployer="0x01"),
    ))  # fmt: skip


class Hour:
    """``run`` lets it happen; ``records`` is what a gateway would have logged."""

    def __init__(self, seed: int, path: Path) -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        self.exchange = Exchange(
            universe(), maker_rate=Decimal("-0.00002"), taker_rate=Decimal("0.00045")
        )
        for address in (ME, OTHER):
            self.exchange.fund(address, FUND)
        self.records: list[Body] = []
        self.path = path
        self.ledger = Ledger(path)
        self.log = ActionLog(path.parent / "actions")
        self.log.open()
        self._tail = Tail(self.log.folder)
        self.core = Core(fresh_state())
        self.token_usd = 0.999
        self.mids = {coin: Decimal(px) for coin, px in COINS.items()}
        self.happened: dict[str, int] = {}
        self._nonce = START_MS
        self._flow: dict[str, list[int]] = {coin: [] for coin in COINS}
        self._mail: list[tuple[int, int, bytes]] = []
        self._sent = 0
        self._learn()

    def _learn(self) -> None:
        state = self.core.state
        state.identity = msgspec.structs.replace(state.identity, address=ME, created_ms=START_MS)
        listings = self.exchange.universe.listings
        state.registry = Registry(
            instruments={coin: row.instrument for coin, row in listings.items()},
            dexes=(DexInfo("", 0, "USDC", None), DexInfo("hyna", 1, "USDE", "@1")),
        )
        self.digits = state.digits
        self._step()
        for dex in ("", "hyna"):
            self._account(dex, late=False)
        self._deliver()

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    def run(self, minutes: int) -> None:
        """So many minutes, with everything that may happen in them."""
        steps = minutes * 60
        plan = {
            steps // 5: self._short_and_deleveraged, steps // 2: self._liquidated,
        }  # fmt: skip
        for step in range(steps):
            self.now_ms += STEP_MS
            self.token_usd += self.rng.gauss(0.0, 0.00002)
            self._quote()
            self._by_hand()
            self._step()
            if step in plan:
                plan[step]()
            if step % 5 == 0:
                for dex in ("", "hyna"):
                    self._account(dex)
            self._deliver()
        self.settle()

    def settle(self) -> None:
        """Everything under way arrives, and a last look at both DEXs."""
        self.now_ms += 60_000
        self._deliver()
        for dex in ("", "hyna"):
            self._account(dex, late=False)
        self._deliver()
        self.log.close()
        self.ledger.close()

    def _step(self) -> None:
        """One block: prices, those who make them, those who take."""
        self.exchange.begin(self.now_ms)
        for coin in COINS:
            if coin != "ETH":
                self.mids[coin] *= Decimal(str(1 + self.rng.gauss(0.0, 0.0002)))
            self._book(coin, self.mids[coin])
            if self.rng.random() < 0.3:
                side = self.rng.choice((Side.BID, Side.ASK))
                self._trade(coin, side, self.mids[coin] * (1 + side.sign * Decimal("0.0004")))
        self._hear(self.exchange.block(self.now_ms))
        for coin in COINS:
            self._frame("bbo", self.exchange.bbo(Coin(coin)), late=False)
            ctx = {"coin": coin, "ctx": self.exchange.ctx(Coin(coin))}
            self._frame("activeAssetCtx", ctx, late=False)

    def _px(self, coin: str, px: Decimal, side: Side) -> Decimal:
        return self.exchange.universe.instrument(Coin(coin)).passive_px(px, side)

    def _book(self, coin: str, mid: Decimal, depth: str = "3") -> None:
        for oid in self._flow[coin]:
            self.exchange.cancel_flow(Coin(coin), oid)
        self._flow[coin] = []
        for side in Side:
            px = self._px(coin, mid * (1 - side.sign * Decimal("0.0005")), side)
            self._flow[coin].append(self._place(coin, side, px, Decimal(depth), "Gtc"))
        self.exchange.set_oracle(Coin(coin), round(mid, 1))

    def _trade(self, coin: str, side: Side, px: Decimal) -> None:
        sz = Decimal(self.rng.randint(1, 60)) / 1000
        self._place(coin, side, self._px(coin, px, side), sz, "Ioc")

    def _place(self, coin: str, side: Side, px: Decimal, sz: Decimal, tif: str) -> int:
        oid = self.exchange.next_oid()
        order = RestingOrder(
            oid=oid, owner="flow", side=side, px=px, sz=sz, orig_sz=sz, placed_ms=self.now_ms,
            tif=tif,  # type: ignore[arg-type]  # one of its words
        )  # fmt: skip
        self.exchange.place_flow(Coin(coin), order)
        return oid

    # ── what the account does ────────────────────────────────────────────────────────────────

    def act(self, who: str, action: dict[str, Any]) -> None:
        self._nonce += 1
        if action["type"] in {"usdClassTransfer", "sendAsset"}:
            action |= {"nonce": self._nonce}
        elif action["type"] in {"withdraw3", "usdSend"}:
            action |= {"time": self._nonce}
        self.exchange.submit(self._nonce, who, action, self._nonce)

    def order(self, coin: str, side: Side, px: Decimal, sz: str, tif: str, *, ours: bool) -> Any:
        asset = self.exchange.universe.instrument(Coin(coin)).asset_id
        wire: dict[str, Any] = {
            "a": asset, "b": side is Side.BID, "p": str(self._px(coin, px, side)), "s": sz,
            "r": False, "t": {"limit": {"tif": tif}},
        }  # fmt: skip
        if ours:
            self._sent += 1
            wire["c"] = f"0x{lease_prefix(self.digits, 1, 1)}{self._sent:012x}"
        return {"type": "order", "orders": [wire], "grouping": "na"}

    def _quote(self) -> None:
        """Ours, inside everybody else's: what rests is taken off, then both sides anew."""
        for record in list(self.exchange.floor.account(ME).open.values()):
            asset = self.exchange.universe.listings[record.coin].asset_id
            self.act(ME, {"type": "cancel", "cancels": [{"a": asset, "o": record.order.oid}]})
        for coin in ("BTC", "hyna:BTC"):
            for side in Side:
                px = self.mids[coin] * (1 - side.sign * Decimal("0.0002"))
                self.act(ME, self.order(coin, side, px, "0.02", "Alo", ours=True))

    def _by_hand(self) -> None:
        """A person at the same account: trades, and money to and fro."""
        if self.rng.random() < 0.02:
            coin, side = self.rng.choice(("BTC", "hyna:BTC")), self.rng.choice((Side.BID, Side.ASK))
            px = self.mids[coin] * (1 + side.sign * Decimal("0.01"))
            self.act(ME, self.order(coin, side, px, "0.013", "Ioc", ours=False))
            self._count("by hand")
        if self.rng.random() < 0.1:
            self.act(ME, self._transfer())

    def _transfer(self) -> dict[str, Any]:
        chain = {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
        amount = str(Decimal(self.rng.randint(1, 9_000_000)) / 10_000)
        kind = self.rng.randrange(5)
        if kind == 0:
            fields = {"amount": amount, "toPerp": self.rng.random() < 0.5}
            return {"type": "usdClassTransfer", **chain, **fields}
        if kind == 1:
            return {"type": "withdraw3", **chain, "destination": ME, "amount": amount}
        if kind == 2:
            return {"type": "usdSend", **chain, "destination": OTHER, "amount": amount}
        token, ends = ("USDC", ["", "spot"]) if kind == 3 else ("USDE", ["hyna", "spot"])
        self.rng.shuffle(ends)
        return {
            "type": "sendAsset", **chain, "destination": ME, "sourceDex": ends[0],
            "destinationDex": ends[1], "token": f"{token}:{TOKEN[token]}", "amount": amount,
            "fromSubAccount": "",
        }  # fmt: skip

    # ── what befalls it ──────────────────────────────────────────────────────────────────────

    def _lever(self, who: str) -> None:
        asset = self.exchange.universe.instrument(Coin("ETH")).asset_id
        self.act(who, {"type": "updateLeverage", "asset": asset, "isCross": False, "leverage": 25})

    def _crash(self, share: str) -> None:
        self.mids["ETH"] *= 1 + Decimal(share)
        self._step()

    def _short_and_deleveraged(self) -> None:
        """We are short against one who cannot pay for a fall: closed at the mark before."""
        mid = self.mids["ETH"]
        self._lever(OTHER)
        self.act(OTHER, self.order("ETH", Side.BID, mid, "2", "Alo", ours=False))
        self.act(ME, self.order("ETH", Side.ASK, mid * Decimal("0.9999"), "2", "Ioc", ours=True))
        self._step()
        self._crash("-0.06")

    def _liquidated(self) -> None:
        """Ours now: long with an isolated margin that a fall of a few per cent takes."""
        mid = self.mids["ETH"]
        self._lever(ME)
        self.act(ME, self.order("ETH", Side.BID, mid * Decimal("1.01"), "2", "Ioc", ours=False))
        self._step()
        self._crash("-0.024")

    # ── what is told ─────────────────────────────────────────────────────────────────────────

    def _count(self, what: str) -> None:
        self.happened[what] = self.happened.get(what, 0) + 1

    def _hear(self, outputs: Any) -> None:
        for output in outputs:
            match output:
                case FillRow(user=user, row=row) if user == ME:
                    self._frame("userFills", {"user": ME, "fills": [row]})
                    self._count("liquidation" if "liquidation" in row else str(row["dir"]))
                    self._count("rebate" if Decimal(str(row["fee"])) < 0 else "paid")
                case FundingRow(user=user, row=row) if user == ME:
                    self._frame("userFundings", {"user": ME, "fundings": [row]})
                    self._count("funding")
                case LedgerRow(user=user, row=row) if user == ME:
                    told = {"user": ME, "nonFundingLedgerUpdates": [row]}
                    self._frame("userNonFundingLedgerUpdates", told)
                    self._count("transfer")
                case LiquidationRow(user=user) if user == ME:
                    self._count("liquidated")
                case AccountChanged(user=user, dex=dex, money=True) if user == ME:
                    if self.rng.random() < 0.3:
                        self._account(dex)
                case _:
                    pass

    def _account(self, dex: str, *, late: bool = True) -> None:
        user = {"user": ME, "dex": dex}
        state = self.exchange.info({"type": "clearinghouseState", **user}, self.now_ms)
        self._frame("clearinghouseState", {**user, "clearinghouseState": state}, late=late)

    def _frame(self, channel: str, data: object, *, late: bool = True) -> None:
        """On its way: up to 3 s, and one in ten a second time."""
        raw = msgspec.json.encode({"channel": channel, "data": data})
        for _ in range(2 if late and self.rng.random() < 0.1 else 1):
            delay_ms = round(self.rng.random() * 3_000) if late else 0
            heapq.heappush(self._mail, (self.now_ms + delay_ms, len(self._mail), raw))

    def _deliver(self) -> None:
        state = self.core.state
        state.account.token_marks["USDE"] = self.token_usd
        effects: list[Effect] = []
        while self._mail and self._mail[0][0] <= self.now_ms:
            at_ms, _, raw = heapq.heappop(self._mail)
            effects += self.core.venue_frame(raw, at_ms)
        effects += [seen for coin in COINS if (seen := market_seen(state, coin)) is not None]
        bodies = [effect.body for effect in effects if isinstance(effect, Record)]
        self.records += bodies
        for body in bodies:
            self.log.append(body, self.now_ms * 1_000_000)
        self.ledger.apply(self._tail.read())

    # ── the truth ────────────────────────────────────────────────────────────────────────────

    def state(self, dex: str) -> Any:
        request = {"type": "clearinghouseState", "user": ME, "dex": dex}
        return self.exchange.info(request, self.now_ms)

    def moved_at_marks(self, dex: str) -> list[tuple[float, float]]:
        """(amount, what the token was worth when it moved), from the records alone."""
        frames = [b for b in self.records if isinstance(b, Equity) and b.dex == dex]
        frames.sort(key=lambda frame: frame.as_of_ms)
        found = []
        for moved in (b for b in self.records if isinstance(b, Moved) and b.dex == dex):
            before = [f for f in frames if f.as_of_ms <= moved.time_ms]
            assert moved.amount is not None
            found.append((float(moved.amount), before[-1].token_mark_usd or 0.0))
        return found
