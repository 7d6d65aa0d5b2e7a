"""What the market does: leaps, forced flow, and oracles that stand still."""

import math
from typing import Final

from agents.market.units import BPS
from agents.risk.facts import Facts
from agents.risk.verdict import Finding, Mode
from agents.settings import RiskSettings

WIDEN_SEVERITY: Final = 0.4
PULL_SEVERITY: Final = 0.8
KILL_SEVERITY: Final = 0.95
MOVE_S: Final = 5.0
MOVE_SIGMAS: Final = 4.0
BEHIND_SIGMAS: Final = 3.0
BEHIND_MIN_BPS: Final = 10.0


def price(facts: Facts, settings: RiskSettings) -> Finding | None:
    """How far the mid ranged over five seconds."""
    advanced, move = settings.advanced, facts.move_share
    if move < advanced.move_pull_share:
        return None
    evidence = (("move_share", move), ("move_pull_share", advanced.move_pull_share))
    text = f"the price moved by {move:.1%} within {MOVE_S:g} s"
    if move >= advanced.move_kill_share:
        return Finding(Mode.KILL, text, "price", evidence, latches=True)
    return Finding(Mode.PULL, text, "price", evidence)


def cascade(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Forced flow that moves the price: stand back, then leave, in the end by the kill switch.

    Flow alone, however one-sided, is only flow: the price must have left its usual range too.
    """
    severity, advanced = facts.severity_share, settings.advanced
    if severity <= WIDEN_SEVERITY or facts.sigma_bps is None:
        return None
    if facts.move_share * BPS < MOVE_SIGMAS * facts.sigma_bps * math.sqrt(MOVE_S):
        return None
    evidence = (("severity_share", severity), ("move_share", facts.move_share))
    text = f"one-sided flow of severity {severity:.2f} moves the price by {facts.move_share:.2%}"
    widen_bps = advanced.cascade_widen_bps * severity
    if severity >= KILL_SEVERITY and facts.move_share >= advanced.move_pull_share:
        return Finding(Mode.KILL, text, "cascade", evidence, widen_bps, latches=True)
    mode = Mode.PULL if severity >= PULL_SEVERITY else Mode.WIDEN
    if mode is Mode.WIDEN and widen_bps <= 0:
        return None
    return Finding(mode, text, "cascade", evidence, widen_bps)


def oracle(facts: Facts, settings: RiskSettings) -> Finding | None:
    """A deployer's oracle that stands still while the market moves, or a mark far away from it."""
    if not facts.deployed:
        return None
    advanced = settings.advanced
    if facts.mark_away_bps > advanced.oracle_away_max_bps:
        return Finding(
            Mode.REDUCE_ONLY,
            f"the mark is {facts.mark_away_bps:.0f} bps away from the oracle",
            "oracle",
            (("mark_away_bps", facts.mark_away_bps),),
        )
    age_s, behind_bps = facts.oracle_age_s, facts.oracle_behind_bps
    if age_s is None or age_s <= advanced.oracle_age_max_s or facts.sigma_bps is None:
        return None
    if behind_bps < max(BEHIND_SIGMAS * facts.sigma_bps * math.sqrt(age_s), BEHIND_MIN_BPS):
        return None
    return Finding(
        Mode.REDUCE_ONLY,
        f"the oracle has stood still for {age_s:.0f} s, the market moved {behind_bps:.0f} bps",
        "oracle",
        (("oracle_age_s", age_s), ("oracle_behind_bps", behind_bps)),
    )
