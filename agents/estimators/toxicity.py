"""One-sided flow, free of its noise floor: 0 for random signs however few trades there are.

Flow is cut into buckets of event time. In each, with bursts of signed size ``v`` (square roots of
USD), random signs alone give ``E[(sum of v)^2] = sum(v^2)``, whatever the sizes and their number.
What is beyond is common direction:

    toxicity = sum((sum v)^2 - sum v^2) / sum((sum |v|)^2 - sum v^2)      outer sums over buckets

the mean agreement of two bursts' signs, by size: 0 at random, 1 if all go one way. A bucket of one
burst says nothing and adds nothing.
Source: in the spirit of VPIN, Easley, López de Prado & O'Hara (2012), whose mean |imbalance| of k
trades a bucket is sqrt(2 / (pi * k)) at random signs; the unbiased square is used instead.
"""

import math
from typing import Final

from agents.market.units import MS_PER_S

BUCKET_MS: Final = 30_000
HALF_LIFE_S: Final = 600.0
PRIOR_PAIRS: Final = 200.0


class ToxicityEstimator:
    """Agreement of signs within half a minute, decayed over ten; shrunk to 0 while little is known.

    ``PRIOR_PAIRS`` pairs of average bursts that disagree as often as not are put in first.
    """

    __slots__ = (
        "_agreement",
        "_bursts",
        "_most",
        "_opened_ms",
        "_pairs",
        "_signed",
        "_signed_mean",
        "_sizes",
        "_sizes_mean",
        "_squares",
    )  # fmt: skip

    def __init__(self) -> None:
        self._opened_ms: int | None = None
        self._signed = self._sizes = self._squares = 0.0
        self._bursts = 0
        self._agreement = self._most = self._pairs = 0.0
        self._signed_mean = self._sizes_mean = 0.0

    def update(self, sign: int, usd: float, at_ms: int) -> None:
        """One burst; ``sign`` +1 bought."""
        self._close(at_ms)
        root = math.sqrt(usd)
        self._signed += sign * root
        self._sizes += root
        self._squares += root * root
        self._bursts += 1

    @property
    def toxicity_share(self) -> float | None:
        """-1 to 1, 0 at random signs; None before a bucket held two bursts."""
        if self._pairs <= 0:
            return None
        prior = PRIOR_PAIRS * self._most / self._pairs
        return self._agreement / (self._most + prior)

    @property
    def direction(self) -> float:
        """Signed share of the decayed flow: +1 all bought."""
        return self._signed_mean / self._sizes_mean if self._sizes_mean > 0 else 0.0

    def restart(self) -> None:
        """After a gap: the open bucket was not seen whole."""
        self._opened_ms = None
        self._signed = self._sizes = self._squares = 0.0
        self._bursts = 0

    def _close(self, at_ms: int) -> None:
        if self._opened_ms is None:
            self._opened_ms = at_ms
            return
        passed = (at_ms - self._opened_ms) // BUCKET_MS
        if passed <= 0:
            return
        decay = 0.5 ** (passed * BUCKET_MS / (MS_PER_S * HALF_LIFE_S))
        self._agreement = (self._agreement + self._signed**2 - self._squares) * decay
        self._most = (self._most + self._sizes**2 - self._squares) * decay
        self._pairs = (self._pairs + self._bursts * (self._bursts - 1)) * decay
        self._signed_mean = (self._signed_mean + self._signed) * decay
        self._sizes_mean = (self._sizes_mean + self._sizes) * decay
        self._opened_ms += passed * BUCKET_MS
        self._signed = self._sizes = self._squares = 0.0
        self._bursts = 0
