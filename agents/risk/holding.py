"""What is held: too much, too fast, stuck, other than the venue says, or near its liquidation."""

import math
from typing import Final

from agents.risk.facts import Facts
from agents.risk.verdict import Finding, Mode
from agents.settings import RiskSettings

EXPOSURE_SLACK: Final = 1.02
EXPOSURE_WARN_SHARE: Final = 0.95
RUNAWAY_S: Final = 3.0
DRIFT_REDUCE_S: Final = 3.0
DRIFT_KILL_S: Final = 30.0
JUMP_SHARE: Final = 0.2
JUMP_S: Final = 5.0
STUCK_WARN_SHARE: Final = 0.5
GROWTH_OVER_SHARE: Final = 0.5
S_PER_H: Final = 3_600.0


def position(facts: Facts, settings: RiskSettings) -> Finding | None:
    """More held than allowed: reduce; twice as much, and not because the limit came down: kill."""
    held_usd, limit_usd = facts.exposure_usd, facts.position_max_usd
    if held_usd is None or held_usd <= EXPOSURE_WARN_SHARE * limit_usd:
        return None
    evidence = (("position_usd", held_usd), ("position_max_usd", limit_usd))
    text = f"position {held_usd:.0f} USD above {limit_usd:.0f}"
    if held_usd > settings.advanced.position_kill_ratio * limit_usd and not facts.inherited:
        return Finding(Mode.KILL, text, "position", evidence, latches=True)
    if held_usd > EXPOSURE_SLACK * limit_usd:
        return Finding(Mode.REDUCE_ONLY, text, "position", evidence)
    text = f"position {held_usd:.0f} USD near {limit_usd:.0f}"
    return Finding(Mode.WARN, text, "position", evidence)


def runaway(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Position and all that is open on one side, far beyond the limit, and it stays: our own books
    are wrong. A limit that comes down finds its orders still there, for a moment.
    """
    open_usd, limit_usd = facts.open_usd, facts.position_max_usd
    ratio, over_s = settings.advanced.position_kill_ratio, facts.over_s
    if open_usd is None or over_s is None or over_s < RUNAWAY_S:
        return None
    evidence = (
        ("worst_case_usd", open_usd), ("position_max_usd", limit_usd), ("over_s", over_s),
    )  # fmt: skip
    text = f"position and open orders {open_usd:.0f} USD above {ratio:g} x {limit_usd:.0f}"
    return Finding(Mode.KILL, text, "runaway", evidence, latches=True)


def growth(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The position grew too fast: the side that adds goes, and stays away for a while, or until
    half of the limit is free again: then it was a swing of inventory, not a runaway.
    """
    held_s, most = facts.growth_hold_s, settings.advanced.growth_max_share
    if held_s is None or held_s >= settings.advanced.growth_hold_s:
        return None
    held_usd = facts.exposure_usd
    if held_usd is not None and held_usd <= GROWTH_OVER_SHARE * facts.position_max_usd:
        return None
    evidence = (("grown_share", facts.grown_share), ("growth_max_share", most))
    text = f"position grew by {most:.0%} of its limit or more within a minute"
    return Finding(Mode.PULL, text, "growth", evidence)


def stuck(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Inventory, and no order that reduces it: told, then killed. Or under water: only reduce."""
    advanced, stuck_s = settings.advanced, facts.stuck_s
    if stuck_s is not None and stuck_s >= STUCK_WARN_SHARE * advanced.stuck_max_s:
        evidence = (("stuck_s", stuck_s), ("stuck_max_s", advanced.stuck_max_s))
        text = f"no order has reduced the position for {stuck_s:.0f} s"
        if stuck_s >= advanced.stuck_max_s:
            return Finding(Mode.KILL, text, "stuck", evidence, latches=True)
        return Finding(Mode.WARN, text, "stuck", evidence)
    loss_usd = 0.0 if facts.unrealized_usd is None else -facts.unrealized_usd
    most_usd = advanced.stuck_loss_max_share * facts.position_max_usd
    if loss_usd <= 0 or loss_usd < most_usd:
        return None
    return Finding(
        Mode.REDUCE_ONLY,
        f"the position is {loss_usd:.2f} USD under water, {most_usd:.2f} at most",
        "stuck",
        (("unrealized_usd", -loss_usd), ("loss_max_usd", most_usd)),
    )


def drift(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The venue's position differs from the sum of our fills."""
    drift_s = facts.drift_s
    if drift_s is None or drift_s < DRIFT_REDUCE_S:
        return None
    evidence = (("drift_s", drift_s), ("drift_share", facts.drift_share))
    text = f"position drift for {drift_s:.0f} s"
    if drift_s >= DRIFT_KILL_S:
        return Finding(Mode.KILL, text, "drift", evidence)
    return Finding(Mode.REDUCE_ONLY, text, "drift", evidence)


def liquidated(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The venue said so, or the position leapt and no fill of ours explains it."""
    if facts.liquidated is not None:
        return Finding(Mode.KILL, facts.liquidated, "liquidated", latches=True)
    unseen = facts.drift_s is not None and facts.drift_s >= JUMP_S
    leap = max(facts.foreign_share, facts.drift_share if unseen else 0.0)
    if leap < JUMP_SHARE:
        return None
    text = f"the position leapt by {leap:.0%} of its limit without a fill of ours"
    evidence = (("drift_share", facts.drift_share), ("foreign_share", facts.foreign_share))
    return Finding(Mode.KILL, text, "liquidated", evidence, latches=True)


def liquidation(facts: Facts, settings: RiskSettings) -> Finding | None:
    """How many moves of an hour's size lie between the mark and the liquidation price."""
    away_bps, sigma_bps = facts.liquidation_bps, facts.sigma_bps
    if away_bps is None or sigma_bps is None:
        return None
    advanced = settings.advanced
    sigmas = away_bps / (sigma_bps * math.sqrt(S_PER_H))
    if sigmas >= advanced.liquidation_warn_sigmas:
        return None
    evidence = (("sigmas", sigmas), ("away_bps", away_bps), ("sigma_bps", sigma_bps))
    text = f"liquidation {sigmas:.1f} sigmas of an hour away ({away_bps:.0f} bps)"
    if sigmas < advanced.liquidation_flatten_sigmas:
        return Finding(Mode.KILL, text, "liquidation", evidence, latches=True)
    if sigmas < advanced.liquidation_reduce_sigmas:
        return Finding(Mode.REDUCE_ONLY, text, "liquidation", evidence)
    return Finding(Mode.WARN, text, "liquidation", evidence)
