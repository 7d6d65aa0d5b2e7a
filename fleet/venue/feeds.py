"""Frames of all channels: what a block's outputs and the clock make due, encoded once a key."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from agents.sim.outputs import (
    AccountChanged,
    Output,
    Printed,
    TouchChanged,
    TradePrint,
)
from agents.sim.tape import TradeRow
from fleet.venue.candles import Candles
from fleet.venue.states import States, rows
from fleet.venue.subscriptions import Json, Key
from fleet.venue.user_rows import of_users
from fleet.venue.world import World

BOOK_SLOW_MS: Final = 5_000
BOOK_FAST_MS: Final = 500
SECOND_MS: Final = 1_000
ACCOUNT_MS: Final = 400
HEARTBEAT_MS: Final = 5_000
TRADES_KEPT: Final = 30
EACH_SECOND: Final = frozenset(
    {
        "activeAssetCtx",
        "activeSpotAssetCtx",
        "allMids",
        "assetCtxs",
        "allDexsAssetCtxs",
        "fastAssetCtxs",
        "spotAssetCtxs",
    }
)
HEARTBEATS: Final = frozenset(
    {"openOrders", "clearinghouseState", "allDexsClearinghouseState", "webData2", "webData3"}
)
LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "userFills": ("userFills", "fills"),
    "userFundings": ("userFunding", "fundings"),
    "userNonFundingLedgerUpdates": ("userNonFundingLedgerUpdates", "nonFundingLedgerUpdates"),
    "userHistoricalOrders": ("historicalOrders", "orderHistory"),
    "userTwapHistory": ("twapHistory", "history"),
    "userTwapSliceFills": ("userTwapSliceFills", "twapSliceFills"),
}
CHANNEL: Final[Mapping[str, str]] = {"userEvents": "user"}

Frame = tuple[Key, bytes]
_encode: Final = msgspec.json.Encoder().encode


def frame(channel: str, data: object) -> bytes:
    """One frame as it travels."""
    return _encode({"channel": CHANNEL.get(channel, channel), "data": data})


def _period_ms(key: Key) -> int | None:
    """How long after the last frame the next is due; None for channels driven by events."""
    match key.type:
        case "l2Book":
            return BOOK_FAST_MS if key.fast else BOOK_SLOW_MS
        case _ if key.type in EACH_SECOND:
            return SECOND_MS
        case _ if key.type in HEARTBEATS:
            return HEARTBEAT_MS
        case _:
            return None


class Feeds:
    """Turns a block into frames, for those keys that somebody listens to.

    ``wanted`` tells whether a key has listeners; ``keys`` lists those that have. Account channels
    come after a change, at most each 400 ms, and each 5 s without one.
    """

    def __init__(
        self,
        world: World,
        *,
        wanted: Callable[[Key], bool],
        keys: Callable[[], Collection[Key]],
    ) -> None:
        self._world = world
        self._exchange = world.exchange
        self._wanted = wanted
        self._keys = keys
        self._recent: defaultdict[str, deque[object]] = defaultdict(
            lambda: deque(maxlen=TRADES_KEPT)
        )
        self._sent_ms: dict[Key, int] = {}
        self._changed: set[Key] = set()
        self._candles = Candles()
        self._states = States(world, self._candles)

    def info(self, request: Json, now_ms: int) -> object:
        """An ``/info`` answer; candles are made here. Raises UnknownRequest."""
        if request.get("type") == "candleSnapshot":
            return self._candles.answer(request, now_ms)
        if request.get("type") == "webData2":  # the page of one account, as its channel shows it
            user = request.get("user")
            self._exchange.info({"type": "userRole", "user": user}, now_ms)
            return self._states.data(Key("webData2", user=str(user).lower()), now_ms)
        return self._exchange.info(request, now_ms)

    def block(self, outputs: Sequence[Output], now_ms: int) -> list[Frame]:
        """Frames of this block, in the venue's order: market data, orders, fills, accounts."""
        frames: list[Frame] = []
        if not self._keys():  # nobody listens, yet what was traded is remembered
            for output in outputs:
                if isinstance(output, Printed):
                    self.printed(output.coin, output.trades)
            self._sent_ms.clear()
            self._changed.clear()
            return frames
        for output in outputs:
            match output:
                case Printed(coin=coin, trades=trades):
                    self.printed(coin, trades)
                    self._add(frames, Key("trades", coin=coin), trades)
                case TouchChanged(coin=coin):
                    key = Key("bbo", coin=coin)
                    if self._wanted(key):
                        self._show(frames, key, now_ms)
                case AccountChanged():
                    self._mark(output)
                case _:
                    pass
        for key, data in of_users(outputs, self._wanted):
            self._add(frames, key, data)
        self._periodic(frames, now_ms)
        return frames

    def printed(self, coin: str, rows: Iterable[TradePrint | TradeRow]) -> None:
        """Remember prints for those who subscribe later, and in the candles."""
        for row in rows:
            self._recent[coin].append(row)
            self._candles.add(coin, Decimal(row.px), Decimal(row.sz), row.time)
        for key in self._keys():
            if key.type == "candle" and key.coin == coin:
                self._changed.add(key)

    def snapshot(self, key: Key, now_ms: int) -> list[bytes]:
        """What follows the ack of a subscription."""
        match key.type:
            case "orderUpdates" | "userEvents" | "notification":
                return []
            case "trades":
                return [frame("trades", list(self._recent[key.coin]))]
            case _ if key.type in LISTS:
                kind, name = LISTS[key.type]
                found = rows(self._world, kind, key.user, now_ms)
                if key.type == "userFundings":
                    found = [_flat(row) for row in found]
                return [frame(key.type, {"isSnapshot": True, "user": key.user, name: found})]
            case _ if key.coin and self._world.dark(key.coin):
                return []
            case _:
                frames: list[Frame] = []
                self._show(frames, key, now_ms)
                return [data for _, data in frames]

    def _periodic(self, frames: list[Frame], now_ms: int) -> None:
        sent_ms: dict[Key, int] = {}
        for key in self._keys():
            last_ms = sent_ms[key] = self._sent_ms.get(key, now_ms)
            period_ms = ACCOUNT_MS if key in self._changed else _period_ms(key)
            if period_ms is None or now_ms - last_ms < period_ms:
                continue
            if key.coin and (self._world.dark(key.coin) or self._world.taped(key)):
                continue
            sent_ms[key] = now_ms
            self._changed.discard(key)
            self._show(frames, key, now_ms)
        self._sent_ms = sent_ms
        self._changed &= sent_ms.keys()

    def _mark(self, changed: AccountChanged) -> None:
        user, dex = changed.user, changed.dex
        for key in self._keys():
            if key.user != user:
                continue
            match key.type:
                case "openOrders" if changed.orders and key.dex == dex:
                    self._changed.add(key)
                case "clearinghouseState" if changed.money and key.dex == dex:
                    self._changed.add(key)
                case "allDexsClearinghouseState" | "spotState" | "activeAssetData" if changed.money:
                    self._changed.add(key)
                case _:
                    pass

    def _show(self, frames: list[Frame], key: Key, now_ms: int) -> None:
        data = self._states.data(key, now_ms)
        if data is not None:
            frames.append((key, frame(key.type, data)))

    def _add(self, frames: list[Frame], key: Key, data: object) -> None:
        if self._wanted(key):
            frames.append((key, frame(key.type, data)))


def _flat(row: object) -> object:
    """A row of ``userFunding`` as the channel has it: without its hash, the delta's keys beside."""
    if not isinstance(row, dict) or not isinstance(row.get("delta"), dict):
        return row
    delta = {key: value for key, value in row["delta"].items() if key != "type"}
    return {"time": row["time"], **delta}
