"""What the gateway must have on the disk, and what is let be while the disk takes nothing.

Nothing new is risked until it can be written: no lease, no placement; cancels go on. Fills and
funding that the log could not take are owed to it, and written first.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from fleet.gateway.api import Caps, LatchView
from fleet.gateway.core.effects import Alert, KeepMarket
from fleet.gateway.core.fence import DURABLE
from fleet.gateway.core.lease import Durable
from fleet.gateway.core.purse import Kept
from fleet.gateway.core.state import State
from fleet.gateway.records import Body, Filled, Funding, LinkSeen, Moved
from fleet.gateway.store import KeptMarket

MEND_EVERY_MS: Final = 1_000
OWED_MAX: Final = 100_000


class Log(Protocol):
    """The action log. OSError where it can't be written."""

    def append(self, body: Body, wall_ns: int) -> int: ...


class Files(Protocol):
    """The gateway's files. OSError where they can't be written."""

    def keep_leases(self, rows: dict[str, Durable]) -> None: ...
    def keep_limits(self, limits: dict[str, float]) -> None: ...
    def keep_purse(self, kept: Kept) -> None: ...
    def keep_caps(self, caps: Caps) -> None: ...
    def keep_market(self, kept: KeptMarket) -> None: ...
    def drop_market(self, market: str) -> None: ...
    def keep_latch(self, latch: LatchView | None) -> None: ...
    def latched(self) -> bool: ...


class Keeping:
    """Log and files round one ``State``. ``wall_ns`` is the wall's time, for records."""

    def __init__(
        self, state: State, log: Log, files: Files, alert: Callable[[Alert], None]
    ) -> None:
        self._state = state
        self._log = log
        self._files = files
        self._alert = alert
        self._owed: deque[tuple[int, Body]] = deque(maxlen=OWED_MAX)
        self._look_ms = 0

    def append(self, body: Body, wall_ns: int) -> bool:
        """False if the log can't be written: then nothing that adds risk may leave."""
        try:
            while self._owed:
                self._log.append(self._owed[0][1], self._owed[0][0])
                self._owed.popleft()
            self._state.log_seq = self._log.append(body, wall_ns)
        except OSError as error:
            if isinstance(body, Filled | Funding | Moved):
                self._owed.append((wall_ns, body))
            self._unwritable("log", f"the action log can't be written: {error.strerror or error}")
            return False
        self._writable("log")
        return True

    def leases(self) -> bool:
        return self._kept(lambda: self._files.keep_leases(self._state.leases.rows))

    def purse(self) -> bool:
        return self._kept(lambda: self._files.keep_purse(self._state.purse.kept))

    def caps(self) -> None:
        held = self._state.caps
        if held is not None:
            self._kept(lambda: self._files.keep_caps(held))

    def market(self, effect: KeepMarket) -> None:
        state, market = self._state, effect.market
        self._kept(lambda: self._files.keep_limits(state.limits.position_max_usd))
        if effect.gone:
            self._kept(lambda: self._files.drop_market(market))
            return
        row, fences = state.markets[market], state.fence.causes(market)
        kept = KeptMarket(
            market=market, revision=row.revision, settings=row.settings, paused=row.paused,
            draining_ms=row.draining_ms, flatten=row.flatten,
            fences={cause: why for cause, why in fences.items() if cause in DURABLE},
            kept=row.kept,
        )  # fmt: skip
        self._kept(lambda: self._files.keep_market(kept))

    def latch(self, latch: LatchView | None) -> None:
        """A latch that the disk does not take holds in memory, and is tried again."""
        self._kept(lambda: self._files.keep_latch(latch))

    def mend(self, now_ms: int, wall_ns: int) -> None:
        """Once a second, try again what the disk did not take."""
        state = self._state
        if not state.unwritable or now_ms - self._look_ms < MEND_EVERY_MS:
            return
        self._look_ms = now_ms
        latch = state.fence.latch
        if latch is not None and not self._files.latched():
            self.latch(latch)
        if "files" in state.unwritable and self.leases():
            self.caps()
            for market in state.markets:
                self.market(KeepMarket(market=market))
        if "log" in state.unwritable:
            self.append(LinkSeen(state=state.link.state), wall_ns)

    def _kept(self, keep: Callable[[], None]) -> bool:
        try:
            keep()
        except OSError as error:
            why = f"the gateway's files can't be written: {error.strerror or error}"
            self._unwritable("files", why)
            return False
        self._writable("files")
        return True

    def _unwritable(self, what: str, why: str) -> None:
        if what not in self._state.unwritable:
            self._state.unwritable[what] = why
            self._alert(Alert("critical", "files", f"{why}; no new risk until it can"))

    def _writable(self, what: str) -> None:
        if self._state.unwritable.pop(what, None) is not None:
            self._alert(Alert("info", "files", f"{what} can be written again"))
