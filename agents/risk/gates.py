"""Whether we can see and act, and what others want: link, fence, directives, orders, operator."""

from agents.risk.facts import Facts
from agents.risk.verdict import Finding, Mode
from agents.settings import RiskSettings


def link(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """Without a link nothing can be sent."""
    if facts.link_up:
        return None
    return Finding(Mode.BLIND, "no link to the venue", "link")


def fence(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The gateway lets no placement pass: a halt, a kill, another controller."""
    if facts.fenced is None:
        return None
    return Finding(Mode.KILL, f"fenced: {facts.fenced}", "fence")


def directive(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """The risk actor's word."""
    mode = facts.directive_mode
    if mode == "normal":
        return None
    if mode == "reduce_only":
        said = facts.directive_reason or "reduce only"
        return Finding(Mode.REDUCE_ONLY, f"directive: {said}", "directive")
    return Finding(Mode.KILL, f"directive: {facts.directive_reason or mode}", "directive")


def directive_age(facts: Facts, settings: RiskSettings) -> Finding | None:
    """The risk actor's silence: first nothing is added, then the adding side goes, then all."""
    age_s = facts.directive_age_s
    if age_s is None:
        return Finding(Mode.REDUCE_ONLY, "no directive yet", "directive")
    if age_s <= settings.directive_age_max_s:
        return None
    if age_s > settings.directive_age_halt_s:
        mode = Mode.KILL
    elif age_s > settings.directive_age_cancel_s:
        mode = Mode.REDUCE_ONLY
    else:
        mode = Mode.NO_NEW_RISK
    evidence = (("directive_age_s", age_s),)
    return Finding(mode, f"directive {age_s:.0f} s old", "directive", evidence)


def readiness(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """Orders not reconciled: nothing; after a gap what rests may rest. Not warm: only reduce."""
    if not facts.reconciled:
        mode = Mode.NO_NEW_RISK if facts.recovering else Mode.BLIND
        return Finding(mode, "reconciling orders", "readiness")
    if not facts.ready:
        return Finding(Mode.REDUCE_ONLY, "warming up", "readiness")
    return None


def operator(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """Pause and drain."""
    if facts.paused:
        return Finding(Mode.BLIND, "paused", "operator")
    if facts.leaving is not None:
        return Finding(Mode.BLIND, facts.leaving, "operator")
    return None if facts.drain is None else Finding(Mode.REDUCE_ONLY, facts.drain, "operator")


def latched(facts: Facts, _settings: RiskSettings) -> Finding | None:
    """What was found once and holds: a kill, or a quote that took."""
    kill = facts.killed
    if kill is not None:
        return Finding(Mode.KILL, kill.text, "killed")
    if facts.reduced is not None:
        return Finding(Mode.REDUCE_ONLY, facts.reduced, "maker")
    return None
