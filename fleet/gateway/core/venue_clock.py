"""The venue's time, as far as its frames tell it."""

from typing import Final

WINDOW_MS: Final = 60_000


class VenueClock:
    """Offset of the venue's clock against ours, ms.

    A frame arrives later than it is stamped, so each (stamp - arrival) is a lower bound; the
    largest of the last one to two minutes is the best estimate, short by the least latency.
    """

    def __init__(self) -> None:
        self._older: float | None = None
        self._newer: float | None = None
        self._since_ms = 0

    def seen(self, venue_ms: int, now_ms: int) -> None:
        offset = float(venue_ms - now_ms)
        if now_ms - self._since_ms >= WINDOW_MS:
            self._older, self._newer, self._since_ms = self._newer, None, now_ms
        self._newer = offset if self._newer is None else max(self._newer, offset)

    @property
    def known(self) -> bool:
        """Whether any frame was seen."""
        return self._older is not None or self._newer is not None

    @property
    def offset_ms(self) -> float:
        """0 until the first frame was seen."""
        known = [offset for offset in (self._older, self._newer) if offset is not None]
        return max(known, default=0.0)

    def venue_ms(self, now_ms: int) -> int:
        return now_ms + round(self.offset_ms)
