"""The kill switch: what latches, what lets go by rule, what waits for a person, and what is kept.

    a finding that latches -> killed, and the market's fence is asked for
    transient cause        -> lifted ``recovery_after_s`` after it was last seen, sizes ramp up
    silence of the feed    -> lifted 1 s after it ended, with whole sizes: nothing went wrong here
    any other cause        -> a person opens the fence; while the cause stands it kills again
    the third kill of one UTC day, whatever its cause but silence, waits for a person

``Kept`` outlives the process: it goes to the gateway with each renewal, which stores it, and comes
back with the next lease. What cannot be read or is not known needs a person.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from agents.kept import Kept, Kill
from agents.market.units import MS_PER_S
from agents.risk.verdict import Finding

TRANSIENT: Final = frozenset({"data", "rate", "cascade", "price"})
"""Monitors whose kills pass: silence, rate limits, forced flow, a leap of the price."""
SILENCE: Final = "data"
SILENCE_OVER_S: Final = 1.0
RAMP_FROM_SHARE: Final = 0.25
RAMP_STEPS: Final = 15  # of 5 %, so that limits and sizes change now and then, not always
KEEP_EVERY_MS: Final = 30_000


class Step(msgspec.Struct, frozen=True, gc=False):
    """``fence``: ask for the market's fence, and why; ``opens``: it may be opened again."""

    kept: Kept
    fence: str | None = None
    opens: bool = False


def turn(
    kept: Kept,
    findings: Iterable[Finding],
    now_ms: int,
    *,
    recovery_after_s: float,
    kills_max: int,
) -> Step:
    """One look at what the monitors found: latch, hold, or let go."""
    worst = _gravest(findings)
    kill = kept.kill
    if worst is not None:
        passing = worst.monitor in TRANSIENT
        if kill is not None and (passing or kill.by_person):
            if now_ms - kill.seen_ms < MS_PER_S:
                return Step(kept)
            seen = msgspec.structs.replace(kill, seen_ms=now_ms)
            return Step(msgspec.structs.replace(kept, kill=seen))
        kills = kept.kills + (worst.monitor != SILENCE)
        kill = Kill(
            cause=worst.monitor,
            reason=worst.reason,
            at_ms=now_ms,
            seen_ms=now_ms,
            by_person=not passing or kills >= kills_max,
        )
        held = msgspec.structs.replace(kept, kill=kill, kills=kills, ramp_ms=None)
        return Step(held, fence=kill.text)
    if kill is None or kill.by_person:
        return Step(kept)
    silent = kill.cause == SILENCE
    after_s = min(SILENCE_OVER_S, recovery_after_s) if silent else recovery_after_s
    if now_ms - kill.seen_ms < after_s * MS_PER_S:
        return Step(kept)
    ramp_ms = kept.ramp_ms if silent else now_ms
    return Step(msgspec.structs.replace(kept, kill=None, ramp_ms=ramp_ms), opens=True)


def _gravest(findings: Iterable[Finding]) -> Finding | None:
    """What latches and does not pass, or else what latches."""
    worst: Finding | None = None
    for finding in findings:
        if finding.latches and (worst is None or worst.monitor in TRANSIENT):
            worst = finding if worst is None or finding.monitor not in TRANSIENT else worst
    return worst


def lifted(kept: Kept, now_ms: int) -> Kept:
    """A person opened the fence: whatever was latched is over, and sizes ramp up."""
    return msgspec.structs.replace(kept, kill=None, reduced=None, ramp_ms=now_ms)


def ramp_share(kept: Kept, now_ms: int, *, ramp_s: float) -> float:
    """The share of the limits that sizes may use: from a quarter to all of it, in steps of 5 %."""
    if kept.ramp_ms is None:
        return 1.0
    passed_ms = max(now_ms - kept.ramp_ms, 0)
    whole_ms = ramp_s * MS_PER_S
    if passed_ms >= whole_ms:
        return 1.0
    steps = int(RAMP_STEPS * passed_ms / whole_ms)
    return RAMP_FROM_SHARE + (1.0 - RAMP_FROM_SHARE) * steps / RAMP_STEPS


def worth_storing(stored: Kept, told: Kept, since_ms: int) -> bool:
    """Whether a disk should hear of it: at once what a kill, a day or a ramp changes; the money,
    and when a kill was last seen, each half minute.
    """
    if stored == told:
        return False
    return since_ms >= KEEP_EVERY_MS or _moment(stored) != _moment(told)


def _moment(kept: Kept) -> tuple[object, ...]:
    kill = None if kept.kill is None else (kept.kill.cause, kept.kill.at_ms, kept.kill.by_person)
    return kill, kept.day, kept.kills, kept.reduced, kept.ramp_ms, kept.open_usd
