"""Which agent gets which frame: subscriptions, their count upstream, and the last full frame."""

from typing import Any, Final

import msgspec

Key = tuple[str, str, bool]

MARKET_CHANNELS: Final = frozenset({"bbo", "l2Book", "trades", "activeAssetCtx"})
USER_CHANNELS: Final = frozenset({"orderUpdates", "userFills", "userFundings", "openOrders"})
HELD_CHANNELS: Final = frozenset({"bbo", "l2Book", "activeAssetCtx"})
_CANONICAL: Final[dict[str, dict[str, Any]]] = {
    "l2Book": {"nSigFigs": None, "mantissa": None, "fast": False},
    "userFills": {"aggregateByTime": False},
    "openOrders": {"dex": ""},
}


class Refused(msgspec.Struct, frozen=True):
    """Why a subscription is turned away, in the venue's words."""

    text: str


class Routing:
    """Subscribers by key (channel, coin, fast). The gateway itself may watch a key too."""

    def __init__(self) -> None:
        self._subscribers: dict[Key, set[int]] = {}
        self._own: set[Key] = set()
        self._held: dict[Key, bytes] = {}

    # ── agents ───────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def key_of(subscription: dict[str, Any], market: str) -> Key | Refused:
        """The key an agent asks for; its own market only."""
        channel, coin = subscription.get("type"), subscription.get("coin", market)
        known = channel in MARKET_CHANNELS or channel in USER_CHANNELS
        aggregated = subscription.get("nSigFigs") is not None
        if not known or coin != market or aggregated:
            return Refused(f"Invalid subscription {msgspec.json.encode(subscription).decode()}")
        return (str(channel), market, channel == "l2Book" and bool(subscription.get("fast")))

    def add(self, session: int, key: Key) -> tuple[bool, bytes | None]:
        """(whether upstream must be asked for it now, the last full frame held)."""
        first = not self._wanted(key)
        self._subscribers.setdefault(key, set()).add(session)
        return first and key[0] in MARKET_CHANNELS, self._held.get(key)

    def has(self, session: int, key: Key) -> bool:
        return session in self._subscribers.get(key, ())

    def remove(self, session: int, key: Key) -> bool:
        """True if nobody wants it any more upstream."""
        subscribers = self._subscribers.get(key)
        if subscribers is None or session not in subscribers:
            return False
        subscribers.discard(session)
        if not subscribers:
            del self._subscribers[key]
        return self._unwanted(key)

    def forget(self, session: int) -> list[Key]:
        """A connection is gone; the keys that nobody wants any more."""
        mine = [key for key, sessions in self._subscribers.items() if session in sessions]
        return [key for key in mine if self.remove(session, key)]

    # ── the gateway's own ────────────────────────────────────────────────────────────────────

    def own(self, key: Key) -> bool:
        """Watch a key for the gateway itself; True if upstream must be asked."""
        first = not self._wanted(key)
        self._own.add(key)
        return first

    def disown(self, key: Key) -> bool:
        if key not in self._own:
            return False
        self._own.discard(key)
        return self._unwanted(key)

    def _wanted(self, key: Key) -> bool:
        return key in self._own or key in self._subscribers

    def _unwanted(self, key: Key) -> bool:
        if self._wanted(key):
            return False
        self._held.pop(key, None)
        return key[0] in MARKET_CHANNELS

    def upstream(self) -> list[dict[str, object]]:
        """Every market-data subscription wanted now, for a new connection."""
        keys = self._own | {key for key in self._subscribers if key[0] in MARKET_CHANNELS}
        return [subscription_of(key) for key in sorted(keys)]

    def of(self, coin: str) -> list[dict[str, object]]:
        """The market-data subscriptions of one coin."""
        return [wanted for wanted in self.upstream() if wanted["coin"] == coin]

    # ── frames ───────────────────────────────────────────────────────────────────────────────

    def frame(self, key: Key, raw: bytes) -> set[int] | None:
        """Hold a full frame for late subscribers; who gets it now."""
        if key[0] in HELD_CHANNELS and self._wanted(key):
            self._held[key] = raw
        return self._subscribers.get(key)

    def subscribers(self, channel: str, coin: str) -> set[int]:
        return self._subscribers.get((channel, coin, False), set())

    def drop_held(self) -> None:
        """The link was cut: what is held is old."""
        self._held.clear()


def subscription_of(key: Key) -> dict[str, object]:
    """The subscription as sent upstream."""
    channel, coin, fast = key
    wanted: dict[str, object] = {"type": channel, "coin": coin}
    if fast:
        wanted["fast"] = True
    return wanted


def ack(method: str, subscription: dict[str, Any]) -> bytes:
    """The venue's answer to (un)subscribe: the canonical subscription back."""
    canonical = {
        "type": subscription["type"],
        **_CANONICAL.get(str(subscription["type"]), {}),
        **{name: value for name, value in subscription.items() if name != "type"},
    }
    return msgspec.json.encode(
        {
            "channel": "subscriptionResponse",
            "data": {"method": method, "subscription": canonical},
        }
    )
