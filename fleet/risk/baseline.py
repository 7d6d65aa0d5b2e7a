"""Against what loss and drawdown are measured: equity at the start of the UTC day, and its peak."""

from typing import Final

import msgspec

DAY_MS: Final = 86_400_000


class Baseline(msgspec.Struct, frozen=True):
    """Kept over restarts of the risk actor, or a crash would forgive a loss. All in USD.

    ``moved``: what transfers had brought to each DEX by then, in its token, exact; None: from
    before that was written down.
    """

    day_ms: int
    day_open_usd: float
    peak_usd: float
    moved: dict[str, str] | None = None


def roll(kept: Baseline | None, equity_usd: float, now_ms: int) -> Baseline:
    """The baseline that holds now. A new day opens at the equity seen first in it."""
    day_ms = now_ms - now_ms % DAY_MS
    if kept is None:
        return Baseline(day_ms, equity_usd, equity_usd)
    opened_usd = kept.day_open_usd if kept.day_ms == day_ms else equity_usd
    peak_usd = max(kept.peak_usd, equity_usd)
    return Baseline(day_ms, opened_usd, peak_usd, kept.moved)


def resumed(kept: Baseline, equity_usd: float) -> Baseline:
    """A person lifted the halt: the drawdown counts from here; the day's loss stands."""
    return msgspec.structs.replace(kept, peak_usd=equity_usd)


def day_pnl_usd(baseline: Baseline, equity_usd: float) -> float:
    return equity_usd - baseline.day_open_usd


def drawdown_share(baseline: Baseline, equity_usd: float) -> float:
    """Share of the peak that is lost (0 to 1, more if equity went below zero)."""
    if baseline.peak_usd <= 0:
        return 0.0
    return max(0.0, (baseline.peak_usd - equity_usd) / baseline.peak_usd)
