"""The fleet's limits against what it holds and lost: normal, reduce-only or halt, with reasons."""

from typing import Final, Literal

import msgspec

from fleet.manifests.spec import FleetRisk
from fleet.risk.exposure import Exposure
from fleet.risk.portfolio import PortfolioRisk

Mode = Literal["normal", "reduce_only", "halt"]
TOLD_MAX: Final = 3


class Verdict(msgspec.Struct, frozen=True):
    """``underlyings``: those over their own limit; ``hedges``: markets that may go on although the
    portfolio is over its limit, since what they hold makes it smaller.
    """

    mode: Mode
    reasons: tuple[str, ...] = ()
    underlyings: frozenset[str] = frozenset()
    hedges: frozenset[str] = frozenset()


def judge(
    held: Exposure,
    *,
    day_pnl_usd: float | None,
    drawdown_share: float | None,
    limits: FleetRisk,
    portfolio: PortfolioRisk | None = None,
) -> Verdict:
    """Losses halt; exposure only stops what adds to it. What is not known counts as too much.

    ``day_pnl_usd`` and ``drawdown_share`` are None while equity is not known.
    """
    halting = []
    if day_pnl_usd is not None and -day_pnl_usd >= limits.daily_loss_max_usd:
        halting.append(f"day's loss {-day_pnl_usd:.2f} USD reaches {limits.daily_loss_max_usd:g}")
    if drawdown_share is not None and drawdown_share >= limits.drawdown_max_share:
        halting.append(f"drawdown {drawdown_share:.4f} reaches {limits.drawdown_max_share:g}")
    if halting:
        return Verdict("halt", tuple(halting))
    reducing = []
    if day_pnl_usd is None or drawdown_share is None:
        reducing.append("equity is not known")
    if held.unknown:
        reducing.append(f"mark or token not known: {', '.join(held.unknown)}")
    if held.gross_usd > limits.gross_notional_max_usd:
        reducing.append(f"gross {held.gross_usd:.0f} USD above {limits.gross_notional_max_usd:g}")
    if abs(held.net_usd) > limits.net_notional_max_usd:
        reducing.append(f"net {held.net_usd:.0f} USD beyond {limits.net_notional_max_usd:g}")
    over = {
        name: usd
        for name, usd in held.underlyings_usd.items()
        if usd > limits.underlying_gross_max_usd
    }
    told = [
        f"{name} {usd:.0f} USD above {limits.underlying_gross_max_usd:g}"
        for name, usd in over.items()
    ]
    together = [] if portfolio is None else _together(portfolio, limits)
    mode: Mode = "reduce_only" if reducing or together else "normal"
    hedges: frozenset[str] = frozenset()
    if together and not reducing and portfolio is not None:
        hedges = frozenset(name for name, share in portfolio.shares.items() if share < 0)
    return Verdict(mode, (*reducing, *together, *told), frozenset(over), hedges)


def _together(portfolio: PortfolioRisk, limits: FleetRisk) -> list[str]:
    """What the markets are too much of as a whole, though each may be within its own limit."""
    found = []
    beta_usd, net_max_usd = portfolio.beta_net_usd, limits.net_notional_max_usd
    if beta_usd is not None and abs(beta_usd) > net_max_usd:
        found.append(f"net by beta {beta_usd:.0f} USD beyond {net_max_usd:g}")
    most_usd = limits.correlated_risk_max_usd
    if most_usd is None:
        return found
    if portfolio.unknown:
        found.append(f"volatility not known: {', '.join(portfolio.unknown)}")
    if portfolio.risk_usd > most_usd:
        worst = sorted(portfolio.shares.items(), key=lambda row: -row[1])[:TOLD_MAX]
        by = ", ".join(f"{name} {100 * share:.0f} %" for name, share in worst)
        found.append(f"risk of an hour {portfolio.risk_usd:.0f} USD above {most_usd:g}: {by}")
    return found
