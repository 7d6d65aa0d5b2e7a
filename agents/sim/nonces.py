"""Which nonces a signer has used: the 100 highest are kept, and lower ones can't come any more.

A nonce is good if it is new, above the smallest of the kept hundred, and within two days before
and one day after the block's time. Order of arrival inside that window is free.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final

KEPT: Final = 100
PAST_MS: Final = 2 * 86_400_000
FUTURE_MS: Final = 86_400_000


class NonceWindow:
    """One signer's nonces."""

    def __init__(self, kept: Iterable[int] = ()) -> None:
        self.kept: list[int] = sorted(kept)

    def refusal(self, nonce: int, now_ms: int) -> str | None:
        """The venue's text if this nonce can't be used now, else None."""
        lowest = now_ms - PAST_MS + 1
        if len(self.kept) >= KEPT:
            lowest = max(lowest, self.kept[0] + 1)
        place = bisect_left(self.kept, nonce)
        if place < len(self.kept) and self.kept[place] == nonce:
            return f"Invalid nonce: duplicate nonce {nonce}"
        if nonce < lowest:
            return f"Invalid nonce: nonce too low {nonce} < {lowest}"
        if nonce >= now_ms + FUTURE_MS:
            return f"Invalid nonce: nonce too high {nonce} >= {now_ms + FUTURE_MS}"
        return None

    def use(self, nonce: int) -> None:
        """Keep a nonce that was not refused."""
        insort(self.kept, nonce)
        if len(self.kept) > KEPT:
            del self.kept[0]
