"""What one supervisor remembers between two rounds; lost with it, and nothing breaks by that."""

from collections.abc import Callable, Collection
from typing import Final

import msgspec

from fleet.supervisor.attempts import UNHEARD, Attempts, Departure

REFUSED_MS: Final = 15_000


class Ended(msgspec.Struct, frozen=True):
    """An agent that is gone without our doing."""

    market: str
    cause: str


class Memory:
    """Starts, ends and leverage of each market since this supervisor began."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempts] = {}
        self._live: set[str] = set()
        self._stopping: set[str] = set()
        self._blamed: dict[str, str] = {}
        self._leverage: dict[str, int] = {}
        self._refused: dict[str, tuple[str, int]] = {}

    def attempts(self, market: str) -> Attempts:
        return self._attempts.get(market, Attempts())

    def leverage_revision(self, market: str) -> int | None:
        """The revision under which the venue was last told this market's leverage."""
        return self._leverage.get(market)

    def observe(
        self,
        running: Collection[str],
        owned: Collection[str],
        departure: Callable[[str], Departure | None],
        now_ms: int,
    ) -> list[Ended]:
        """Take one round's sight; tells which agents ended by themselves since the last."""
        gone = []
        for market in sorted(self._live - set(running)):
            attempts = self.attempts(market)
            if market in self._stopping:
                self._attempts[market] = attempts.stopped(now_ms)
            else:
                why = self._blamed.get(market, UNHEARD)
                self._attempts[market] = attempts.ended(departure(market), now_ms, why)
                gone.append(Ended(market, self._attempts[market].cause or ""))
            self._blamed.pop(market, None)
        self._stopping &= set(running)
        for market in running:
            if market not in self._attempts:  # it ran before this supervisor did
                self._attempts[market] = Attempts(started_ms=now_ms)
            if market in owned:
                self._attempts[market] = self._attempts[market].owned(now_ms)
        self._live = set(running)
        return gone

    def started(self, market: str, now_ms: int) -> None:
        self._attempts[market] = self.attempts(market).started(now_ms)
        self._live.add(market)

    def stopping(self, market: str) -> None:
        """We are about to end it: its end will be no fault."""
        self._stopping.add(market)

    def blaming(self, market: str, why: str) -> None:
        """We are about to end it, for a fault of its own."""
        self._blamed[market] = why

    def leverage_set(self, market: str, revision: int) -> None:
        self._leverage[market] = revision

    def leverage_refused(self, market: str, told: str, now_ms: int) -> None:
        """The venue said no: it is asked again after a while."""
        self._refused[market] = (told, now_ms + REFUSED_MS)

    def refusal(self, market: str, now_ms: int) -> str | None:
        """What the venue said of the leverage, as long as it is not asked again."""
        told, until_ms = self._refused.get(market, ("", 0))
        return told if now_ms < until_ms else None

    def forgive(self, market: str) -> None:
        """An operator wants it again: its record begins anew, unless it runs."""
        self._refused.pop(market, None)
        if market not in self._live:
            self._attempts.pop(market, None)
