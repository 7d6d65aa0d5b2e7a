"""Which alerts go out now: each condition when it has stood for long enough, again while it stands,
and once more when it is over; an event of a moment once in a while.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from fleet.alerts.conditions import Condition
from fleet.alerts.settings import RANK, AlertSettings

EVENT_EVERY_MS: Final = 60_000
GONE_MS: Final = 5_000
EVENTS_KEPT: Final = 500
State = Literal["raised", "still", "over", "event"]


class Notice(msgspec.Struct, frozen=True):
    """One message. ``since_ms``: when what it is about began."""

    state: State
    severity: str
    event: str
    text: str
    market: str
    since_ms: int
    at_ms: int


class Standing(msgspec.Struct):
    """A condition that stands. ``sent_ms`` 0: nobody was told yet. ``gone_ms``: when it went."""

    condition: Condition
    since_ms: int
    sent_ms: int = 0
    gone_ms: int | None = None


class Desk:
    """Remembers who was told what. ``standing`` may be kept over a restart."""

    def __init__(self, standing: dict[str, Standing] | None = None) -> None:
        self.standing = standing if standing is not None else {}
        self._events: dict[str, int] = {}

    def news(
        self, found: Iterable[Condition], settings: AlertSettings, now_ms: int
    ) -> list[Notice]:
        """What to send now that these conditions stand, and no others."""
        notices: list[Notice] = []
        present = {condition.key: condition for condition in found}
        for key, condition in present.items():
            held = self.standing.get(key)
            if held is None:
                held = self.standing[key] = Standing(condition, now_ms)
            worse = RANK[condition.severity] > RANK[held.condition.severity]
            held.condition, held.gone_ms = condition, None
            notices += self._due(held, settings, now_ms, worse=worse)
        for key in [key for key in self.standing if key not in present]:
            notices += self._gone(key, settings, now_ms)
        return notices

    def _due(
        self, held: Standing, settings: AlertSettings, now_ms: int, *, worse: bool
    ) -> list[Notice]:
        condition = held.condition
        if RANK[condition.severity] < RANK[settings.severity_min]:
            return []
        if not held.sent_ms:
            if now_ms - held.since_ms < condition.hold_ms:
                return []
            held.sent_ms = now_ms
            return [_notice("raised", held, now_ms)]
        if not worse and now_ms - held.sent_ms < settings.repeat_s * 1_000:
            return []
        held.sent_ms = now_ms
        return [_notice("raised" if worse else "still", held, now_ms)]

    def _gone(self, key: str, settings: AlertSettings, now_ms: int) -> list[Notice]:
        """Over once it is away for a while: what flickers is one alert, not many."""
        held = self.standing[key]
        held.gone_ms = now_ms if held.gone_ms is None else held.gone_ms
        if held.sent_ms and now_ms - held.gone_ms < GONE_MS:
            return []
        del self.standing[key]
        told = held.sent_ms and RANK[held.condition.severity] >= RANK[settings.severity_min]
        return [_notice("over", held, now_ms)] if told else []

    def event(self, condition: Condition, settings: AlertSettings, now_ms: int) -> list[Notice]:
        """Something happened; the same words again within a minute are not news."""
        if RANK[condition.severity] < RANK[settings.severity_min]:
            return []
        key = f"{condition.key}:{condition.text}"
        if now_ms - self._events.get(key, 0) < EVENT_EVERY_MS:
            return []
        self._events.pop(key, None)
        self._events[key] = now_ms
        if len(self._events) > EVENTS_KEPT:
            del self._events[next(iter(self._events))]
        return [_notice("event", Standing(condition, now_ms), now_ms)]


def _notice(state: State, held: Standing, now_ms: int) -> Notice:
    condition = held.condition
    return Notice(
        state=state, severity="info" if state == "over" else condition.severity,
        event=condition.event, text=condition.text, market=condition.market,
        since_ms=held.since_ms, at_ms=now_ms,
    )  # fmt: skip
