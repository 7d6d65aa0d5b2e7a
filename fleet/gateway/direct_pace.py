"""How a halt without a gateway asks: after each 429 not at all for a while, longer each time.

It shares the venue's minute with the fleet that it halts, which may have used it up. Asking on
would be refused on; the wait is drawn, so that two who halt at once do not meet again.
"""

from collections.abc import Callable
from typing import Final

FIRST_MS: Final = 500
LONGEST_MS: Final = 8_000
CANCELS_LONGEST_MS: Final = 2_000
LEAST_SHARE: Final = 0.5


class Pace:
    """Of one kind of request. ``draw``: 0 to 1; ``longest_ms``: no single wait is longer."""

    def __init__(self, draw: Callable[[], float], longest_ms: int = LONGEST_MS) -> None:
        self._draw, self._longest_ms = draw, longest_ms
        self._wait_ms = FIRST_MS
        self._until_ms = 0

    def holds(self, now_ms: int) -> bool:
        """Whether nothing is to be sent now."""
        return self.left_ms(now_ms) > 0

    def left_ms(self, now_ms: int) -> int:
        """For how long yet."""
        return max(self._until_ms - now_ms, 0)

    def limited(self, now_ms: int) -> None:
        """A 429. What was sent beside the one that was refused first does not count again."""
        if self.holds(now_ms):
            return
        share = LEAST_SHARE + (1.0 - LEAST_SHARE) * self._draw()
        self._until_ms = now_ms + round(self._wait_ms * share)
        self._wait_ms = min(2 * self._wait_ms, self._longest_ms)

    def answered(self, now_ms: int) -> None:
        """The venue takes requests again."""
        if not self.holds(now_ms):
            self._wait_ms = FIRST_MS
