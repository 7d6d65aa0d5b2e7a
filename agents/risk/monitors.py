"""The monitors: plain facts of one moment in, findings out. A timer asks them, not messages."""

import msgspec

from agents.risk.verdict import Finding, Mode, Verdict, aggregate
from agents.settings import RiskSettings


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What the monitors judge, at one moment.

    Ages are in seconds, None = never seen. ``exposure_usd``: the position's size at the reference
    price; ``pnl_day_usd``: None while it cannot be told. ``drift_s``: how long the venue's
    position has differed from ours. ``latched``: why an earlier finding still holds.
    ``recovering``: orders were reconciled before the link broke.
    """

    data_age_s: float | None = None
    crossed: bool = False
    two_sided: bool = True
    link_up: bool = True
    fenced: str | None = None
    directive_age_s: float | None = None
    directive_mode: str = "normal"
    directive_reason: str = ""
    reconciled: bool = True
    recovering: bool = False
    ready: bool = True
    paused: bool = False
    leaving: str | None = None
    drain: str | None = None
    exposure_usd: float | None = None
    position_max_usd: float = 0.0
    pnl_day_usd: float | None = None
    drift_s: float | None = None
    halted: str | None = None
    reduce_latched: str | None = None


EXPOSURE_SLACK = 1.02
DRIFT_REDUCE_S = 3.0
DRIFT_HALT_S = 30.0


def data(facts: Facts, settings: RiskSettings) -> Finding | None:
    """Old, missing or crossed data: no quote at all, not even a reducing one."""
    age_s = facts.data_age_s
    if age_s is None:
        return Finding(Mode.PULL, "no market data yet")
    if age_s > settings.data_age_halt_s:
        return Finding(Mode.HALT, f"market data {age_s:.0f} s old")
    if age_s > settings.data_age_max_s:
        return Finding(Mode.PULL, f"market data {age_s:.1f} s old")
    if facts.crossed:
        return Finding(Mode.PULL, "crossed book")
    if not facts.two_sided:
        return Finding(Mode.PULL, "one-sided book")
    return None


def link(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """Without a link nothing can be sent."""
    return None if facts.link_up else Finding(Mode.PULL, "no link to the venue")


def fence(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The gateway lets no placement pass."""
    return None if facts.fenced is None else Finding(Mode.HALT, f"fenced: {facts.fenced}")


def directive(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The risk actor's word."""
    if facts.directive_mode == "halt":
        return Finding(Mode.HALT, f"directive: {facts.directive_reason or 'halt'}")
    if facts.directive_mode == "reduce_only":
        return Finding(Mode.REDUCE_ONLY, f"directive: {facts.directive_reason or 'reduce only'}")
    return None


def directive_age(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The risk actor's silence: first nothing is added, then the adding side goes, then all."""
    age_s = facts.directive_age_s
    if age_s is None:
        return Finding(Mode.REDUCE_ONLY, "no directive yet")
    for limit_s, mode in (
        (settings.directive_age_halt_s, Mode.HALT),
        (settings.directive_age_cancel_s, Mode.REDUCE_ONLY),
        (settings.directive_age_max_s, Mode.NO_NEW_RISK),
    ):
        if age_s > limit_s:
            return Finding(mode, f"directive {age_s:.0f} s old")
    return None


def readiness(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """Orders not reconciled: nothing; after a gap what rests may rest. Not warm: only reduce."""
    if not facts.reconciled:
        mode = Mode.NO_NEW_RISK if facts.recovering else Mode.PULL
        return Finding(mode, "reconciling orders")
    if not facts.ready:
        return Finding(Mode.REDUCE_ONLY, "warming up")
    return None


def operator(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """Pause and drain."""
    if facts.paused:
        return Finding(Mode.PULL, "paused")
    if facts.leaving is not None:
        return Finding(Mode.PULL, facts.leaving)
    return None if facts.drain is None else Finding(Mode.REDUCE_ONLY, facts.drain)


def position(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """More held than allowed."""
    if facts.exposure_usd is None or facts.exposure_usd <= EXPOSURE_SLACK * facts.position_max_usd:
        return None
    return Finding(
        Mode.REDUCE_ONLY,
        f"position {facts.exposure_usd:.0f} USD above {facts.position_max_usd:.0f}",
    )


def drift(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The venue's position differs from the sum of our fills."""
    if facts.drift_s is None or facts.drift_s < DRIFT_REDUCE_S:
        return None
    mode = Mode.HALT if facts.drift_s >= DRIFT_HALT_S else Mode.REDUCE_ONLY
    return Finding(mode, f"position drift for {facts.drift_s:.0f} s")


def loss(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The day's loss reached its limit."""
    if facts.pnl_day_usd is None or facts.pnl_day_usd > -settings.daily_loss_max_usd:
        return None
    return Finding(
        Mode.HALT,
        f"day loss {-facts.pnl_day_usd:.2f} USD reached {settings.daily_loss_max_usd:.2f}",
    )


def latched(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """What was found once and holds."""
    if facts.halted is not None:
        return Finding(Mode.HALT, facts.halted)
    if facts.reduce_latched is not None:
        return Finding(Mode.REDUCE_ONLY, facts.reduce_latched)
    return None


MONITORS = (
    latched, loss, drift, fence, link, data, directive, directive_age, readiness, operator,
    position,
)  # fmt: skip


def judge(facts: Facts, settings: RiskSettings) -> Verdict:
    """All monitors, one verdict."""
    return aggregate(monitor(facts, settings) for monitor in MONITORS)
