"""Losses: of the UTC day, and from the peak. Both carry on over restarts."""

from typing import Final

from agents.risk.facts import Facts
from agents.risk.verdict import Finding, Mode
from agents.settings import RiskSettings

LOSS_WARN_SHARE: Final = 0.8
DRAWDOWN_WARN_SHARE: Final = 0.7


def loss(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The day's loss, at its limit or near it. What is no number counts as too much."""
    pnl_usd, limit_usd = facts.pnl_day_usd, settings.daily_loss_max_usd
    if pnl_usd is None or pnl_usd > -LOSS_WARN_SHARE * limit_usd:
        return None
    evidence = (("pnl_day_usd", pnl_usd), ("daily_loss_max_usd", limit_usd))
    if pnl_usd > -limit_usd:
        text = f"day loss {-pnl_usd:.2f} USD nears {limit_usd:.2f}"
        return Finding(Mode.WARN, text, "loss", evidence)
    text = f"day loss {-pnl_usd:.2f} USD reached {limit_usd:.2f}"
    return Finding(Mode.KILL, text, "loss", evidence, latches=True)


def drawdown(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The fall from the peak, as a share of margin and the most that was gained on it."""
    pnl_usd, limit_share = facts.pnl_usd, settings.drawdown_max_share
    peak_usd = facts.margin_usd + max(facts.pnl_peak_usd, 0.0)
    if pnl_usd is None or peak_usd <= 0:
        return None
    share = (facts.pnl_peak_usd - pnl_usd) / peak_usd
    if share < DRAWDOWN_WARN_SHARE * limit_share:
        return None
    evidence = (
        ("drawdown_share", share), ("drawdown_max_share", limit_share),
        ("pnl_usd", pnl_usd), ("pnl_peak_usd", facts.pnl_peak_usd),
    )  # fmt: skip
    if share < limit_share:
        text = f"drawdown {share:.1%} nears {limit_share:.1%}"
        return Finding(Mode.WARN, text, "drawdown", evidence)
    text = f"drawdown {share:.1%} reached {limit_share:.1%}"
    return Finding(Mode.KILL, text, "drawdown", evidence, latches=True)
