"""``fleet plan``: the difference between a manifest and what runs, and whether it can be made.

The supervisor plans where it answers. Where it is away, the plan is made here of what it last wrote
down, with its own rules; where nothing was ever applied, every market is to be started.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fleet import processes
from fleet.cli import prepare, start
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.control import FLEET, Control, ControlDown, Plan, Step
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.observe import latch
from fleet.cli.start import Running
from fleet.cli.validate import load_or_fail
from fleet.folder import Folder
from fleet.manifests.spec import FleetSpec, encode
from fleet.manifests.viability import Viability, viability

NOTHING: Running = Running(guard=False, head=False, supervisor=False)


def run(path: Path, only: str | None, output: Output, fleet: str | None) -> int:
    """0: nothing to do; 2: an apply would do something."""
    spec = load_or_fail(path)
    check_names(spec, only, fleet)
    folder = Folder.of(spec.fleet)
    known = prepare.check_identity(folder, spec)
    if processes.alive(folder, "venue") is not None:
        prepare.check_venue(folder, spec)
    found = start.running(folder) if known else NOTHING
    plan = planned(folder, spec, found, only)
    told = judged(path, folder, spec)
    code = ExitCode.CHANGES if plan.steps or not found.whole else ExitCode.DONE
    if (halted := latch(folder)) is not None:
        say(f"fleet {spec.fleet} is halted: {halted.reason}; apply needs fleet resume first")
    if output == "json":
        put_json(_document(spec, plan, found, told))
    else:
        show(spec, plan, found, told, put)
    return int(code)


def check_names(spec: FleetSpec, only: str | None, fleet: str | None) -> None:
    """Exit 3 if the options name another fleet, or a market that the manifest does not."""
    if fleet not in {None, spec.fleet}:
        text = f"--fleet {fleet}: the manifest is of fleet {spec.fleet}"
        raise Failure(ExitCode.INVALID, text, "leave the option out")
    if only is not None and only not in spec.markets:
        names = ", ".join(spec.markets)
        text = f"--only {only}: no such market in the manifest"
        raise Failure(ExitCode.INVALID, text, f"name one of {names}")


def planned(folder: Folder, spec: FleetSpec, found: Running, only: str | None) -> Plan:
    """What an apply would do; with ``only``, to that market and nothing else."""
    if found.supervisor:
        try:
            plan = Control(folder).plan(encode(spec))
            return msgspec.structs.replace(plan, steps=_of(plan.steps, only))
        except ControlDown as error:
            text = f"the supervisor stopped answering ({error})"
            raise Failure(ExitCode.NOT_CONVERGED, text, "run it again") from None
    revision, steps = _written_down(folder, spec)
    if not found.guard:  # nothing trades, whatever is desired
        raised = {step.market for step in steps if step.raises_risk}
        starts = [Step(n, "start", _described(spec, n), n in raised) for n in spec.markets]
        steps = (*(step for step in steps if step.market not in spec.markets), *starts)
    return Plan(plan_id="", revision=revision, steps=_of(steps, only))


def _of(steps: tuple[Step, ...], only: str | None) -> tuple[Step, ...]:
    return tuple(step for step in steps if only is None or step.market == only)


def _written_down(folder: Folder, spec: FleetSpec) -> tuple[int, tuple[Step, ...]]:
    """Revision and plan by what the supervisor last wrote; its own rules, its own store."""
    from fleet.supervisor.plan import plan
    from fleet.supervisor.store import read_markets, read_spec

    try:
        current = read_spec(folder.store_db)
        rows = read_markets(folder.store_db)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        text = f"{folder.store_db} cannot be read: {error}"
        raise Failure(ExitCode.UNEXPECTED, text, "try again") from None
    rev, before = (0, None) if current is None else current
    steps = plan(before, rows, spec, {})
    return rev, tuple(Step(s.market, s.kind, s.text, s.raises_risk) for s in steps)


def _described(spec: FleetSpec, market: str) -> str:
    settings = spec.markets[market]
    return (
        f"margin {settings.margin_usd:,.0f} USD x {settings.leverage},"
        f" position up to {settings.risk.position_max_usd:,.0f} USD,"
        f" half-spread from {settings.strategy.half_spread_floor_bps:g} bps"
    )


def judged(path: Path, folder: Folder, spec: FleetSpec, key: str | None = None) -> Viability:
    """Viability, after the manifest was checked against its network; exit 7 if that is unheard, 3
    if the venue takes nothing that the API wallet signs.
    """
    from fleet.cli.facts import gather
    from fleet.cli.network import Unheard
    from fleet.cli.reach import listed
    from fleet.cli.wallet import refuse_invalid

    try:
        gathered = gather(folder, spec, key)
    except Unheard as error:
        text = f"{spec.network} is out of reach: {error}"
        mend = "check this machine's network and try again; nothing was started"
        raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
    if spec.network != "paper":
        load_or_fail(path, listed(gathered.offer))
        refuse_invalid(gathered.facts.wallet)
    return viability(spec, gathered.facts)


def missing(found: Running) -> list[str]:
    """The processes that an apply would start."""
    parts = (("gateway", found.guard), ("Ray", found.head), ("supervisor", found.supervisor))
    return [name for name, there in parts if not there]


def _document(spec: FleetSpec, plan: Plan, found: Running, told: Viability) -> dict[str, Any]:
    raised = any(step.raises_risk for step in plan.steps)
    return {
        "fleet": spec.fleet,
        "network": spec.network,
        "revision": plan.revision,
        "plan_id": plan.plan_id,
        "steps": plan.steps,
        "needs": ["risk-increase"] if raised else [],
        "to_start": missing(found),
        "viability": told,
        "manifest": spec,
    }


def step_lines(plan: Plan) -> Iterator[str]:
    """A line a step."""
    for step in plan.steps:
        whose = "(fleet)" if step.market == FLEET else step.market
        raised = "  [raises a limit: needs --allow risk-increase]" if step.raises_risk else ""
        yield f"  {step.kind:<8} {whose:<12} {step.text}{raised}".rstrip()


def canary_lines(spec: FleetSpec, plan: Plan) -> Iterator[str]:
    """Which of the markets go first."""
    touched = [step.market for step in plan.steps if step.market in spec.markets]
    first = [name for name in spec.rollout.canary if name in touched]
    if first:
        how = spec.rollout
        fails = "rolled back" if how.on_fail == "rollback" else "paused"
        yield (
            f"  canary {', '.join(first)} first, watched for {how.bake_s:g} s (what did not run:"
            f" until it quotes); if a gate fails it is {fails}"
        )


def show(spec: FleetSpec, plan: Plan, found: Running, told: Viability | None, tell: Any) -> None:  # noqa: ANN401  # put or say
    """The plan as people read it: steps, then what is to be known before it is done."""
    away = missing(found)
    if not plan.steps and not away:
        tell("no changes")
    else:
        tell(f"plan for fleet {spec.fleet} on {spec.network}:")
    for line in step_lines(plan):
        tell(line)
    for line in canary_lines(spec, plan):
        tell(line)
    if away:
        tell(f"  processes to start: {', '.join(away)}")
    if told is not None:
        from fleet.cli.plan_table import lines

        for line in lines(told):
            tell(line)
