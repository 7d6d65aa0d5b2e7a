"""How often a market's agent was started, how it ended, and when it may be started again."""

from typing import Final

import msgspec

BUDGET: Final = 5
WINDOW_MS: Final = 600_000
BACK_OFF_MS: Final = 1_000
BACK_OFF_MAX_MS: Final = 30_000
HEALTHY_MS: Final = 60_000
_EXIT_LEASE_LOST: Final = 75
UNHEARD: Final = "the process ended without a word (killed, or out of memory)"


class Departure(msgspec.Struct, frozen=True):
    """An agent's last word, in its folder: ``exit.json``. ``code`` as of the process."""

    code: int
    reason: str
    at_ms: int
    pid: int


class Attempts(msgspec.Struct, frozen=True):
    """One market's record. ``faults_ms``: ends that were the agent's own fault, in the window.

    ``cause`` and ``code``: of the last end; None where it left no word.
    """

    started_ms: int | None = None
    owned_ms: int | None = None
    ended_ms: int | None = None
    retries: int = 0
    faults_ms: tuple[int, ...] = ()
    cause: str | None = None
    code: int | None = None

    def started(self, now_ms: int) -> "Attempts":
        """An agent was started just now."""
        return msgspec.structs.replace(
            self, started_ms=now_ms, owned_ms=None, retries=self.retries + 1
        )

    def owned(self, now_ms: int) -> "Attempts":
        """Its agent holds the lease; after a minute of that, earlier trouble is forgotten."""
        since_ms = self.started_ms or now_ms
        settled = now_ms - since_ms >= HEALTHY_MS
        return msgspec.structs.replace(
            self, owned_ms=now_ms, retries=0 if settled else self.retries, cause=None
        )

    def stopped(self, now_ms: int) -> "Attempts":
        """We ended it ourselves: no fault, no wait."""
        return msgspec.structs.replace(self, ended_ms=now_ms, retries=0, cause=None)

    def ended(self, departure: Departure | None, now_ms: int, blamed: str = UNHEARD) -> "Attempts":
        """It is gone, and it is at fault. ``departure``: its last word, if it left one;
        ``blamed``: why, if it left none.

        A lease lost (75) is the gateway's doing or the next agent's, so it costs patience only.
        """
        heard = departure is not None and departure.at_ms >= (self.started_ms or 0)
        lost = heard and departure is not None and departure.code == _EXIT_LEASE_LOST
        recent = tuple(at_ms for at_ms in self.faults_ms if now_ms - at_ms < WINDOW_MS)
        return msgspec.structs.replace(
            self,
            ended_ms=now_ms,
            owned_ms=None,
            faults_ms=recent if lost else (*recent, now_ms),
            cause=departure.reason if heard and departure is not None else blamed,
            code=departure.code if heard and departure is not None else None,
        )

    def spent(self, now_ms: int) -> bool:
        """Whether the budget of restarts is used up: it will not heal by itself."""
        return sum(now_ms - at_ms < WINDOW_MS for at_ms in self.faults_ms) >= BUDGET

    def told(self, now_ms: int) -> str:
        """How often and how it ended, for people."""
        count = sum(now_ms - at_ms < WINDOW_MS for at_ms in self.faults_ms)
        exited = "" if self.code is None else f"exit {self.code}: "
        return f"ended {count} times in {WINDOW_MS // 60_000} min; last: {exited}{self.cause}"

    def due_ms(self) -> int:
        """When the next start is due: at once after the first end, then ever later."""
        if self.ended_ms is None or self.retries <= 1:
            return 0
        wait_ms = BACK_OFF_MS << (min(self.retries, 20) - 2)
        return self.ended_ms + min(wait_ms, BACK_OFF_MAX_MS)
