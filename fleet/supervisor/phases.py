"""The phase of a market, out of what is desired, what is seen and what went wrong."""

from enum import Enum

import msgspec

from fleet.gateway.api import CareView, MarketView


class Phase(Enum):
    """Where a market stands; an agent's own phases, and those of a market without one."""

    BOOT = "BOOT"
    PREFLIGHT = "PREFLIGHT"
    RECONCILING = "RECONCILING"
    WARMUP = "WARMUP"
    QUOTING = "QUOTING"
    REDUCING = "REDUCING"
    DRAINING = "DRAINING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    HALTED = "HALTED"
    FAILED = "FAILED"


class Standing(msgspec.Struct, frozen=True):
    """A phase and, where it is not the market's choice, why."""

    phase: Phase
    reason: str | None = None


def standing(
    *,
    desired: bool,
    failed: str | None,
    view: MarketView | None,
    halted: bool,
    cause: str | None,
    hindrance: str | None = None,
) -> Standing:
    """Where the market stands.

    ``failed``: the cause of a FAILED market, which only an apply lifts; ``cause``: why the last
    agent ended, shown until the next one speaks; ``view``: the gateway's, None if it has none;
    ``hindrance``: what keeps its agent from starting.
    """
    if not desired:
        return Standing(Phase.STOPPED if view is None else Phase.DRAINING, None)
    if failed is not None:
        return Standing(Phase.FAILED, failed)
    if view is not None and view.lease.owner == "agent" and view.report is not None:
        return _reported(view.report.phase, view.report.reason)
    if halted:
        return Standing(Phase.HALTED, cause)
    if view is not None and view.care is not None:
        return Standing(*_cared(view.care, hindrance or cause))
    return Standing(Phase.BOOT if hindrance is None else Phase.PREFLIGHT, hindrance or cause)


def _cared(care: CareView, cause: str | None) -> tuple[Phase, str]:
    """A market whose position the caretaker has, while there is no agent."""
    text = f"{cause or 'no agent'}; the caretaker {care_text(care)}"
    return (Phase.REDUCING if care.busy else Phase.BOOT), text


def care_text(care: CareView) -> str:
    """What the caretaker does, for people."""
    does = {"hold": "holds", "reduce": "reduces", "flatten": "closes"}[care.do]
    return f"{does} the position" + (f" ({care.text})" if care.text else "")


def _reported(phase: str, reason: str | None) -> Standing:
    try:
        return Standing(Phase(phase), reason)
    except ValueError:
        return Standing(Phase.BOOT, f"the agent reports a phase unknown here: {phase}")
