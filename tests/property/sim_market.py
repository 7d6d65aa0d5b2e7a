"""Random days at the embedded exchange: everything that moves money, by a seed."""

import random
from decimal import Decimal
from typing import Any

from agents.market.types import Coin, Side
from agents.sim.exchange import Exchange
from agents.sim.market import RestingOrder
from agents.sim.outputs import Answered, FillRow, LiquidationRow, Output
from agents.sim.rules import Rules
from agents.sim.universe import default_universe

USERS = [f"0x{i}{i}" + "0" * 38 for i in range(1, 4)]
DEPOSIT_USD = Decimal("2000.123456")
START_MS = 1_795_000_000_000
START_PX = {
    Coin("BTC"): Decimal(84_000),
    Coin("SOL"): Decimal(119),
    Coin("xyz:CRCL"): Decimal(86),
    Coin("hyna:BTC"): Decimal(84_000),
    Coin("km:TENCENT"): Decimal(79),
}
LOT = {"BTC": "0.001", "SOL": "0.5", "xyz:CRCL": "1", "hyna:BTC": "0.001", "km:TENCENT": "1"}
TOKENS = {
    "USDC": "USDC:0x6d1e7cde53ba9467b783cb7c530ce054",
    "USDE": "USDE:0x00",
    "USDH": "USDH:0x00",
}
ENDS = {"USDC": ["", "xyz", "spot"], "USDE": ["hyna", "spot"], "USDH": ["km", "flx", "spot"]}
SIGNED = {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
RULES = Rules(
    sub_account_volume_usd=Decimal(0), schedule_volume_usd=Decimal(0), requests_free=10**9
)
HOUR_MS = 3_600_000


class Run:
    """An exchange under random trade, with flow on both sides of moving prices."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.exchange = Exchange(default_universe(), rules=RULES)
        self.now_ms = START_MS
        self.nonce = START_MS
        self.px = dict(START_PX)
        self.users = [*USERS]
        self.seen: dict[str, int] = {}
        for user in USERS:
            self.exchange.fund(user, DEPOSIT_USD)
        for name in ("one", "two"):
            self.submit(USERS[0], {"type": "createSubAccount", "name": name})
        self.exchange.block(self.now_ms)
        self.users += self.exchange.floor.account(USERS[0]).subs

    @property
    def ids(self) -> dict[Coin, int]:
        return {coin: self.exchange.universe.listings[coin].asset_id for coin in self.px}

    def submit(self, user: str, action: dict[str, Any]) -> None:
        self.nonce += 1
        if action["type"] == "withdraw3":
            action["time"] = self.nonce
        elif "signatureChainId" in action:
            action["nonce"] = self.nonce
        self.exchange.submit(self.nonce, user, action, self.nonce)

    def step(self) -> tuple[Output, ...]:
        """One block in which something happens; its outputs."""
        rng = self.rng
        coin = rng.choice(sorted(START_PX))
        kind = rng.random()
        self.now_ms += HOUR_MS if kind > 0.985 else rng.choice([70, 70, 5_000])
        self.nonce = max(self.nonce, self.now_ms)
        self.exchange.begin(self.now_ms)
        for share, act in (
            (0.22, self.move),
            (0.66, self.order),
            (0.72, self.bracket),
            (0.77, self.change),
            (0.82, self.lever),
            (0.87, self.margin),
            (0.93, self.send),
            (0.97, self.family),
            (0.98, self.stop),
        ):
            if kind < share:
                act(coin)
                break
        outputs = self.exchange.block(self.now_ms)
        for output in outputs:
            self._count(output)
        return outputs

    def _count(self, output: Output) -> None:
        name = type(output).__name__
        if isinstance(output, FillRow):
            notes: Any = output.row.get("liquidation", {})
            name += str(output.row["dir"]) if "-" in str(output.row["dir"]) else ""
            name += str(notes.get("method", ""))
        elif isinstance(output, Answered):
            name += str(output.payload["status"])
        elif isinstance(output, LiquidationRow):
            name = "liquidation"
        self.seen[name] = self.seen.get(name, 0) + 1

    def move(self, coin: Coin) -> None:
        """The price jumps; flow trades through what is there and quotes around the new price."""
        start = START_PX[coin]
        jump = self.rng.choice(["0.6", "0.95", "0.98", "0.993", "1.007", "1.02", "1.06"])
        px = self.px[coin] * Decimal(jump)
        self.px[coin] = px = min(max(px, start / 4), start * 4).quantize(Decimal(1))
        for tif, away in (("Ioc", 0), ("Gtc", 1)):
            for side in (Side.BID, Side.ASK):
                sz = Decimal(LOT[coin]) * self.rng.randint(1, 40)
                oid, at = self.exchange.next_oid(), px - side.sign * away
                resting = RestingOrder(
                    oid, f"flow:{side.name}", side, at, sz, sz, self.now_ms, None
                )
                resting.tif = "Ioc" if tif == "Ioc" else "Gtc"
                self.exchange.place_flow(coin, resting)
        self.exchange.set_oracle(coin, px)

    def wire(self, coin: Coin, *, reduce_share: float = 0.1) -> dict[str, Any]:
        rng = self.rng
        px = self.px[coin] + rng.randint(-1, 1)
        sz = Decimal(LOT[coin]) * rng.randint(1, 300)
        found = {"a": self.ids[coin], "b": rng.random() < 0.5, "p": str(px), "s": str(sz)}
        tif = rng.choice(["Gtc", "Gtc", "Ioc", "Alo"])
        return found | {"r": rng.random() < reduce_share, "t": {"limit": {"tif": tif}}}

    def order(self, coin: Coin) -> None:
        wires = [self.wire(coin) for _ in range(self.rng.choice([1, 1, 3]))]
        action = {"type": "order", "orders": wires, "grouping": "na"}
        self.submit(self.rng.choice(self.users), action)

    def bracket(self, coin: Coin) -> None:
        """A parent with stop and target, or a stop by itself."""
        parent = self.wire(coin, reduce_share=0.0)
        exits = []
        for tpsl, away in (("sl", "0.95"), ("tp", "1.05")):
            buys = not parent["b"]
            share = Decimal(away) if not buys else 2 - Decimal(away)
            px = str((self.px[coin] * share).quantize(Decimal(1)))
            terms = {"isMarket": self.rng.random() < 0.7, "triggerPx": px, "tpsl": tpsl}
            row = {"a": parent["a"], "b": buys, "p": px, "s": parent["s"], "r": True}
            exits.append(row | {"t": {"trigger": terms}})
        grouped = self.rng.random() < 0.6
        rows = [parent, *exits] if grouped else exits
        grouping = "normalTpsl" if grouped else "positionTpsl"
        action = {"type": "order", "orders": rows, "grouping": grouping}
        self.submit(self.rng.choice(self.users), action)

    def change(self, coin: Coin) -> None:
        """A live order is replaced or taken out, or the dead man's switch is set."""
        user = self.rng.choice(self.users)
        live = list(self.exchange.floor.account(user).open.values())
        if not live or self.rng.random() < 0.1:
            self.submit(user, {"type": "scheduleCancel", "time": self.now_ms + 60_000})
            return
        record = self.rng.choice(live)
        if self.rng.random() < 0.5:
            asset_id = self.exchange.universe.listings[record.coin].asset_id
            cancels = [{"a": asset_id, "o": record.order.oid}]
            self.submit(user, {"type": "cancel", "cancels": cancels})
            return
        wire = self.wire(record.coin if record.coin in self.px else coin)
        modifies = [{"oid": record.order.oid, "order": wire}]
        self.submit(user, {"type": "batchModify", "modifies": modifies})

    def lever(self, coin: Coin) -> None:
        action = {"type": "updateLeverage", "asset": self.ids[coin]}
        value = self.rng.choice([1, 3, 10, 20, 40])
        terms = {"isCross": self.rng.random() < 0.5, "leverage": value}
        self.submit(self.rng.choice(self.users), action | terms)

    def margin(self, coin: Coin) -> None:
        """Margin into or out of an isolated position; requests bought."""
        user, asset = self.rng.choice(self.users), self.ids[coin]
        kind = self.rng.random()
        if kind < 0.6:
            micro_usd = self.rng.randint(-300, 300) * 1_000_003
            action = {"type": "updateIsolatedMargin", "asset": asset, "isBuy": True}
            self.submit(user, action | {"ntli": micro_usd})
        elif kind < 0.8:
            action = {"type": "topUpIsolatedOnlyMargin", "asset": asset, "leverage": "2.5"}
            self.submit(user, action)
        else:
            weight = self.rng.randint(1, 1_000)
            self.submit(user, {"type": "reserveRequestWeight", "weight": weight})

    def amount(self) -> str:
        return str(Decimal(self.rng.randint(1, 10**9)) / 10**6)

    def send(self, coin: Coin) -> None:
        """Collateral between DEXs and spot of one account, now and then to another one."""
        del coin
        user, token = self.rng.choice(self.users), self.rng.choice(sorted(TOKENS))
        source, target = self.rng.sample(ENDS[token], 2)
        ends = {"sourceDex": source, "destinationDex": target, "fromSubAccount": ""}
        action: dict[str, Any] = {"token": TOKENS[token], "amount": self.amount(), **ends}
        if self.rng.random() < 0.8:
            action |= {"type": "agentSendAsset", "destination": user, "nonce": self.nonce + 1}
        else:
            action |= {"type": "sendAsset", "destination": self.rng.choice(self.users), **SIGNED}
        self.submit(user, action)

    def family(self, coin: Coin) -> None:
        """Between master and sub-accounts, out of the venue, and from user to user."""
        del coin
        kind, amount = self.rng.random(), self.amount()
        if kind < 0.6:
            sub = self.rng.choice(self.exchange.floor.account(USERS[0]).subs)
            action: dict[str, Any] = {"type": "subAccountTransfer", "subAccountUser": sub}
            action |= {"isDeposit": self.rng.random() < 0.6, "usd": self.rng.randint(1, 10**9)}
            self.submit(USERS[0], action)
            return
        user, other = self.rng.sample(USERS, 2)
        action = {**SIGNED, "amount": amount}
        if kind < 0.7:
            action |= {"type": "withdraw3", "destination": user}
        elif kind < 0.85:
            action |= {"type": "usdClassTransfer", "toPerp": self.rng.random() < 0.5}
        else:
            ends = {"sourceDex": "", "destinationDex": "", "fromSubAccount": ""}
            action |= {"type": "sendAsset", "destination": other, "token": TOKENS["USDC"], **ends}
        self.submit(user, action)

    def stop(self, coin: Coin) -> None:
        """The deployer halts the market, which settles it, and lets it go on."""
        self.exchange.halt(coin, halted=True)
        self.exchange.halt(coin, halted=False)
