"""Frames of all channels: what a block's outputs and the clock make due, encoded once a key."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from agents.market.types import Coin
from agents.sim.outputs import (
    AccountChanged,
    FillRow,
    NonUserCancel,
    OrderRow,
    Output,
    Printed,
    TouchChanged,
)
from fleet.venue.subscriptions import Json, Key
from fleet.venue.world import World

BOOK_SLOW_MS: Final = 5_000
BOOK_FAST_MS: Final = 500
BOOK_FAST_LEVELS: Final = 5
BOOK_LEVELS: Final = 20
SECOND_MS: Final = 1_000
ACCOUNT_MS: Final = 400
HEARTBEAT_MS: Final = 5_000
TRADES_KEPT: Final = 30
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
        case "activeAssetCtx" | "allMids":
            return SECOND_MS
        case "openOrders" | "clearinghouseState" | "allDexsClearinghouseState":
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
        keys: Callable[[], Iterable[Key]],
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

    def block(self, outputs: Sequence[Output], now_ms: int) -> list[Frame]:
        """Frames of this block, in the venue's order: market data, orders, fills, accounts."""
        frames: list[Frame] = []
        for output in outputs:
            match output:
                case Printed(coin=coin, trades=trades):
                    self._recent[coin].extend(trades)
                    self._add(frames, Key("trades", coin=coin), trades)
                case TouchChanged(coin=coin):
                    key = Key("bbo", coin=coin)
                    if self._wanted(key):
                        frames.append((key, self._market(key)))
                case AccountChanged():
                    self._mark(output)
                case _:
                    pass
        self._rows(frames, outputs)
        self._periodic(frames, now_ms)
        return frames

    def _rows(self, frames: list[Frame], outputs: Sequence[Output]) -> None:
        """One frame a user and channel for all rows of the block."""
        orders: defaultdict[str, list[Json]] = defaultdict(list)
        fills: defaultdict[str, list[Json]] = defaultdict(list)
        cancels: defaultdict[str, list[Json]] = defaultdict(list)
        for output in outputs:
            match output:
                case OrderRow(user=user, row=row):
                    orders[user].append(row)
                case FillRow(user=user, row=row):
                    fills[user].append(row)
                case NonUserCancel(user=user, coin=coin, oid=oid):
                    cancels[user].append({"coin": coin, "oid": oid})
                case _:
                    pass
        for user, rows in orders.items():
            self._add(frames, Key("orderUpdates", user=user), rows)
        for user, rows in fills.items():
            self._add(frames, Key("userFills", user=user), {"user": user, "fills": rows})
            self._add(frames, Key("userEvents", user=user), {"fills": rows})
        for user, rows in cancels.items():
            self._add(frames, Key("userEvents", user=user), {"nonUserCancel": rows})

    def printed(self, coin: str, rows: Iterable[object]) -> None:
        """Remember a tape's prints for those who subscribe later."""
        self._recent[coin].extend(rows)

    def snapshot(self, key: Key, now_ms: int) -> list[bytes]:
        """What follows the ack of a subscription."""
        match key.type:
            case "orderUpdates" | "userEvents":
                return []
            case "trades":
                return [frame("trades", list(self._recent[key.coin]))]
            case "userFills":
                fills = self._info("userFills", user=key.user, now_ms=now_ms)
                return [frame(key.type, {"isSnapshot": True, "user": key.user, "fills": fills})]
            case "userFundings":
                return [frame(key.type, {"isSnapshot": True, "user": key.user, "fundings": []})]
            case _ if key.coin and self._world.dark(key.coin):
                return []
            case _:
                return [self._state(key, now_ms)]

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
            frames.append((key, self._state(key, now_ms)))
        self._sent_ms = sent_ms
        self._changed &= sent_ms.keys()

    def _mark(self, changed: AccountChanged) -> None:
        user, dex = changed.user, changed.dex
        keys = [Key("openOrders", user=user, dex=dex)] if changed.orders else []
        if changed.money:
            keys.append(Key("clearinghouseState", user=user, dex=dex))
            keys.append(Key("allDexsClearinghouseState", user=user))
        self._changed.update(key for key in keys if self._wanted(key))

    def _state(self, key: Key, now_ms: int) -> bytes:
        """A whole frame of a channel that carries state."""
        if key.coin:
            return self._market(key)
        user, dex = key.user, key.dex
        data: Json = {"dex": dex, "user": user}
        match key.type:
            case "allMids":
                mids = self._info("allMids", dex=dex, now_ms=now_ms)
                data = {"dex": dex, "mids": mids} if dex else {"mids": mids}
            case "openOrders":
                orders = self._info("frontendOpenOrders", user=user, dex=dex, now_ms=now_ms)
                data["orders"] = orders
            case "clearinghouseState":
                data[key.type] = self._account(key, now_ms)
            case _:
                states = [
                    [name, self._account(key._replace(dex=name), now_ms)]
                    for name in sorted(self._world.universe.by_dex)
                ]
                data = {"user": user, "clearinghouseStates": states}
        return frame(key.type, data)

    def _market(self, key: Key) -> bytes:
        coin = Coin(key.coin)
        match key.type:
            case "l2Book":
                depth = BOOK_FAST_LEVELS if key.fast else BOOK_LEVELS
                data = self._exchange.l2(coin, depth, key.figures, key.mantissa)
                if key.fast:
                    data["fast"] = True
            case "bbo":
                data = self._exchange.bbo(coin)
            case _:
                return frame(key.type, {"coin": coin, "ctx": self._exchange.ctx(coin)})
        book_ms = self._world.book_ms(coin)
        if book_ms is not None:
            data["time"] = book_ms
        return frame(key.type, data)

    def _account(self, key: Key, now_ms: int) -> object:
        return self._info("clearinghouseState", user=key.user, dex=key.dex, now_ms=now_ms)

    def _info(self, kind: str, *, now_ms: int, **fields: str) -> object:
        return self._exchange.info({"type": kind, **fields}, now_ms)

    def _add(self, frames: list[Frame], key: Key, data: object) -> None:
        if self._wanted(key):
            frames.append((key, frame(key.type, data)))
