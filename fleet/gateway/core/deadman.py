"""The venue's dead-man switch: armed while somebody quotes, pushed on while we live, told as it is.

``scheduleCancel`` cancels every order of the account at a time; pushed on before it comes, nothing
happens, and that may be done for ever; it may go off ten times a day. The venue grants it from a
volume on, and says so in its refusal. It takes foreign orders too, and stops that protect a
position: while foreign orders rest it stays off (I3).
"""

import re
from typing import Final, Literal

import msgspec

from agents.exchange.wire import ScheduleCancelAction
from agents.market.units import MS_PER_S

LEAD_MS: Final = 60 * MS_PER_S
REFRESH_MS: Final = 20 * MS_PER_S
AGAIN_MS: Final = 60 * MS_PER_S
DAY_MS: Final = 86_400 * MS_PER_S
_REQUIRED: Final = re.compile(r"Required: \$([0-9][0-9,]*(?:\.[0-9]+)?)")

Word = Literal["armed", "ineligible", "off"]


class View(msgspec.Struct, frozen=True):
    """``until_ms``: venue time at which it would go off. ``reason``: why it is not armed."""

    state: Word
    reason: str = ""
    until_ms: int | None = None


class DeadMan:
    """Times are the venue's, but for ``now_ms``, ours, in ``step``."""

    def __init__(self) -> None:
        self._until_ms: int | None = None
        self._asked_until_ms: int | None = None
        self._pending = False
        self._next_ms = 0
        self._required_usd: float | None = None
        self._why = "nothing is quoted"

    def view(self, venue_ms: int) -> View:
        """As the venue last confirmed it."""
        if self._until_ms is not None and venue_ms < self._until_ms:
            return View("armed", until_ms=self._until_ms)
        if self._required_usd is not None:
            return View("ineligible", self._why)
        return View("off", self._why)

    def step(
        self, *, why_not: str, volume_usd: float | None, venue_ms: int, now_ms: int
    ) -> ScheduleCancelAction | None:
        """What to send now. ``why_not``: why it should not be armed; empty: it should.

        ``volume_usd`` None: not known, nothing is tried.
        """
        if self._pending or volume_usd is None:
            return None
        armed = self._until_ms is not None and venue_ms < self._until_ms
        if why_not:
            self._why = why_not if self._required_usd is None else self._why
            if not armed or now_ms < self._next_ms:
                return None
            return self._send(None, now_ms)
        if self._required_usd is not None and volume_usd < self._required_usd:
            return None
        if now_ms < self._next_ms:
            return None
        return self._send(venue_ms + LEAD_MS, now_ms)

    def _send(self, until_ms: int | None, now_ms: int) -> ScheduleCancelAction:
        self._pending, self._asked_until_ms = True, until_ms
        self._next_ms = now_ms + REFRESH_MS
        return ScheduleCancelAction(time=until_ms)

    def accepted(self) -> None:
        self._pending = False
        self._until_ms, self._required_usd = self._asked_until_ms, None

    def refused(self, text: str, now_ms: int) -> None:
        """The venue's word against it; what it had confirmed before holds until its time."""
        self._pending, self._why = False, text
        self._next_ms = now_ms + AGAIN_MS
        required = _REQUIRED.search(text)
        if required is not None:
            self._required_usd = float(required.group(1).replace(",", ""))
        elif text.startswith("Too many scheduled cancels"):
            self._next_ms = now_ms - now_ms % DAY_MS + DAY_MS

    def unanswered(self, now_ms: int) -> None:
        """It may be in force or not: only what was confirmed is claimed, and it is sent again."""
        self._pending, self._why = False, "the venue's answer is missing"
        self._next_ms = now_ms
