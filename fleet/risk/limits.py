"""The fleet's limits against what it holds and lost: normal, reduce-only or halt, with reasons."""

from typing import Literal

import msgspec

from fleet.manifests.spec import FleetRisk
from fleet.risk.exposure import Exposure

Mode = Literal["normal", "reduce_only", "halt"]


class Verdict(msgspec.Struct, frozen=True):
    """``underlyings``: those over their own limit; only their markets must reduce."""

    mode: Mode
    reasons: tuple[str, ...] = ()
    underlyings: frozenset[str] = frozenset()


def judge(
    held: Exposure, *, day_pnl_usd: float | None, drawdown_share: float | None, limits: FleetRisk
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
    mode: Mode = "reduce_only" if reducing else "normal"
    return Verdict(mode, (*reducing, *told), frozenset(over))
