"""A trader's desk at the embedded exchange: short words for the tests of its parts."""

from decimal import Decimal
from typing import Any

from agents.market.types import Coin, Side
from agents.sim.exchange import Exchange
from agents.sim.market import Placement, RestingOrder, Tif
from agents.sim.outputs import Answered, FillRow, OrderRow, Output
from agents.sim.universe import Universe, default_universe

ALICE = "0x" + "a1" * 20
BOB = "0x" + "b0" * 20
START_MS = 1_795_000_000_000
BTC, SOL, NVDA, CRCL, HYNA_BTC = 0, 2, 110_002, 110_005, 130_000
MATIC = 3


def order(
    asset: int,
    side: str,
    px: str,
    sz: str,
    *,
    tif: str = "Alo",
    reduce_only: bool = False,
    cloid: str | None = None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"a": asset, "b": side == "B", "p": px, "s": sz, "r": reduce_only}
    row["t"] = {"limit": {"tif": tif}}
    return row if cloid is None else row | {"c": cloid}


def orders(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"type": "order", "orders": list(rows), "grouping": "na"}


def cloid(number: int) -> str:
    return f"0x{number:032x}"


class Desk:
    """An exchange with two funded accounts; every call to ``act`` is a block of its own."""

    def __init__(self, universe: Universe | None = None, usd: int = 1_000_000) -> None:
        self.exchange = Exchange(universe or default_universe())
        self.now_ms = START_MS
        self.nonce = START_MS
        self.outputs: tuple[Output, ...] = ()
        for address in (ALICE, BOB):
            self.exchange.fund(address, Decimal(usd))
        self.exchange.block(self.now_ms)

    def submit(self, who: str, action: dict[str, Any], **options: Any) -> int:
        self.nonce += 1
        self.exchange.submit(self.nonce, who, action, options.pop("nonce", self.nonce), **options)
        return self.nonce

    def block(self) -> tuple[Output, ...]:
        self.now_ms += 70
        self.outputs = self.exchange.block(self.now_ms)
        return self.outputs

    def act(self, who: str, action: dict[str, Any], **options: Any) -> Any:
        """The answer's payload."""
        ticket = self.submit(who, action, **options)
        answers = {o.ticket: o.payload for o in self.block() if isinstance(o, Answered)}
        return answers[ticket]

    def place(self, who: str, *rows: dict[str, Any]) -> list[Any]:
        """The statuses of a batch of orders."""
        return self.statuses(self.act(who, orders(*rows)))

    @staticmethod
    def statuses(payload: Any) -> list[Any]:
        assert payload["status"] == "ok", payload
        found: list[Any] = payload["response"]["data"]["statuses"]
        return found

    def order_rows(self, who: str) -> list[tuple[int, str, str]]:
        """(oid, status, sz) of the last block's order rows."""
        rows: list[Any] = [o.row for o in self.outputs if isinstance(o, OrderRow) and o.user == who]
        return [(row["order"]["oid"], row["status"], row["order"]["sz"]) for row in rows]

    def fills(self, who: str) -> list[Any]:
        """The last block's fill rows."""
        return [o.row for o in self.outputs if isinstance(o, FillRow) and o.user == who]

    def ask(self, kind: str, **keys: Any) -> Any:
        return self.exchange.info({"type": kind, **keys}, self.now_ms)

    def state(self, who: str, dex: str = "") -> Any:
        return self.ask("clearinghouseState", user=who, dex=dex)

    def szi(self, who: str, coin: str, dex: str = "") -> str:
        for row in self.state(who, dex)["assetPositions"]:
            if row["position"]["coin"] == coin:
                return str(row["position"]["szi"])
        return "0.0"

    def open_oids(self, who: str, dex: str = "") -> list[int]:
        return [row["oid"] for row in self.ask("openOrders", user=who, dex=dex)]

    def flow(
        self, coin: str, side: Side, px: str, sz: str, *, tif: Tif = "Gtc", owner: str = "taker-1"
    ) -> Placement:
        """An order of nobody's account, in the block about to run."""
        self.exchange.begin(self.now_ms + 70)
        resting = make_resting(self.exchange.next_oid(), side, px, sz, tif=tif, owner=owner)
        return self.exchange.place_flow(Coin(coin), resting)


def make_resting(
    oid: int,
    side: Side,
    px: str,
    sz: str,
    *,
    tif: Tif = "Gtc",
    owner: str = "flow",
    reduce_only: bool = False,
) -> RestingOrder:
    size = Decimal(sz)
    return RestingOrder(oid, owner, side, Decimal(px), size, size, START_MS, None, reduce_only, tif)
