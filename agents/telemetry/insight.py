"""What the metrics show of an engine beyond what anyone decides by: counts, and beliefs in short.

The engine counts as it goes, so that a replay counts alike; its report carries a copy, twice a
second, by the way that reports take. Every table is bounded by the kinds there are.
"""

import msgspec


class Tally(msgspec.Struct, gc=False):
    """Since the process began, each by the venue's word. ``replaced``: of those placed, orders that
    took an old one's place in one step; ``refused``: by reason; ``mismatches``: orders that the
    venue listed and we did not hold (orphan), that we held and it did not list (missing), and how
    often its position began to differ; ``touch_s``: of the time due, that our best stood at the
    market's best, the mean of both sides.
    """

    placed: int = 0
    replaced: int = 0
    cancelled: int = 0
    refused: dict[str, int] = msgspec.field(default_factory=dict)
    mismatches: dict[str, int] = msgspec.field(default_factory=dict)
    touch_s: float = 0.0

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def mismatch(self, kind: str) -> None:
        self.mismatches[kind] = self.mismatches.get(kind, 0) + 1

    def copy(self) -> "Tally":
        """As it is now."""
        return msgspec.structs.replace(
            self, refused=dict(self.refused), mismatches=dict(self.mismatches)
        )


class Insight(msgspec.Struct, frozen=True, gc=False):
    """None, or no entry: not known. ``unknown``: the estimators that know nothing yet.

    ``regime``: low, normal, high, extreme; ``kappa_se_per_bps``, ``fills_se_per_s``: standard
    errors, mean of both sides; ``depth_usd``: bids and asks near the mid. By side: the non-zero
    ``parts_bps`` of the half-spread, and the age of the best order that rests.
    """

    tally: Tally = msgspec.field(default_factory=Tally)
    unknown: tuple[str, ...] = ()
    jump_ratio: float | None = None
    regime: str | None = None
    kappa_se_per_bps: float | None = None
    fills_se_per_s: float | None = None
    toxicity_share: float | None = None
    cascade_share: float | None = None
    excitement_ratio: float | None = None
    depth_usd: tuple[float, float] | None = None
    trade_age_ms: int | None = None
    parts_bps: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    quote_age_ms: dict[str, int] = msgspec.field(default_factory=dict)
