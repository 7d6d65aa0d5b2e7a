"""``fleet apply``: make what runs equal to the manifest, and wait until it quotes.

    load -> latch? -> identity -> key -> plan -> reach -> confirm -> start -> roll out -> wait

Up to the confirmation nothing is written and nothing is started. A fleet that runs as the manifest
says is left alone: no file, no process and no request to the venue changes.
"""

import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from fleet import processes
from fleet.cli import alerting, prepare, start
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.control import FLEET, Control, ControlDown, Plan
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.observe import latch
from fleet.cli.plan import NOTHING, check_names, judged, planned, show
from fleet.cli.start import Running
from fleet.cli.validate import load_or_fail
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.manifests.spec import FleetSpec, encode
from fleet.metrics import settings as metering
from fleet.metrics.settings import MetricsSettings

PATIENCE_S: Final = 5.0
RISK_INCREASE: Final = "risk-increase"


class Wishes(msgspec.Struct, frozen=True):
    """What the user asked for beside the manifest."""

    yes: bool
    wait_s: float
    only: str | None
    allow: tuple[str, ...]
    fleet: str | None


def run(path: Path, wishes: Wishes, output: Output) -> None:
    spec = load_or_fail(path)
    check_names(spec, wishes.only, wishes.fleet)
    folder = Folder.of(spec.fleet)
    refuse_halted(folder)
    known = prepare.check_identity(folder, spec)
    _refuse_second_controller(folder)
    found = start.running(folder) if known else NOTHING
    if processes.alive(folder, "venue") is not None:
        prepare.check_venue(folder, spec)
    key = None if found.guard else _live_key(spec)
    alerts = alerting.resolved(spec.alerts)
    metered = MetricsSettings(spec.metrics.host, spec.metrics.port)
    plan = planned(folder, spec, found, wishes.only)
    if not plan.steps and found.whole:
        if alerting.keep(folder, alerts):
            say("alerts: an address has changed, and is in force")
        if metering.keep(folder, metered):
            say("metrics: the address has changed, and is in force")
        _finish(spec, plan, {}, output)
        return
    show(spec, plan, found, judged(path, folder, spec, key), put if output == "table" else say)
    _refuse_raises(plan, wishes)
    confirm(spec.network, yes=wishes.yes)
    folder.create()
    alerting.keep(folder, alerts)
    metering.keep(folder, metered)
    _start(folder, spec, found, key)
    _roll_out(folder, spec, wishes, output, shown=plan)


def refuse_halted(folder: Folder) -> None:
    """Exit 5 with the mend while the latch is set."""
    halted = latch(folder)
    if halted is not None:
        text = f"fleet {folder.root.name} is halted: {halted.reason} (by {halted.by})"
        mend = f"lift it first: fleet resume --fleet {folder.root.name} --reason TEXT"
        raise Failure(ExitCode.HALTED, text, mend)


def _refuse_second_controller(folder: Folder) -> None:
    """Another fleet's orders on this account: which of the two is to go is a person's choice."""
    if processes.alive(folder, "gateway") is None:
        return
    try:
        other = GatewayClient(folder, PATIENCE_S).status().second_controller
    except (Unreachable, ApiFailure):
        return
    if other is not None:
        text = f"another controller trades this account: {other}"
        mend = "end one of the two (fleet down), then fleet unpause MARKET or fleet resume"
        raise Failure(ExitCode.LOCKED, text, mend)


def _live_key(spec: FleetSpec) -> str | None:
    """The API wallet's key of a live fleet; None on paper."""
    if spec.account is None:
        return None
    from fleet.cli.key import api_wallet

    return api_wallet(spec.account)


def _refuse_raises(plan: Plan, wishes: Wishes) -> None:
    """As the supervisor will, but before anything is asked or started."""
    raised = ["the fleet" if s.market == FLEET else s.market for s in plan.steps if s.raises_risk]
    if raised and RISK_INCREASE not in wishes.allow:
        text = f"limits would rise: {', '.join(raised)}"
        raise Failure(ExitCode.INVALID, text, f"apply with --allow {RISK_INCREASE}")


def confirm(network: str, *, yes: bool) -> None:
    """Ask the person at the terminal; exit 3 unless they type yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        text = "this asks before it acts, and there is no terminal to ask on"
        raise Failure(ExitCode.INVALID, text, "add --yes")
    sys.stderr.write(f"go ahead on {network}? type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise Failure(ExitCode.INVALID, "not confirmed: nothing was changed")


def _start(folder: Folder, spec: FleetSpec, found: Running, key: str | None) -> None:
    if found.whole:
        return
    if not found.guard:
        if key is None:
            from fleet.cli.key import paper_key

            key, address = paper_key(folder)
        else:
            assert spec.account is not None
            address = spec.account.address
        prepare.prepare(folder, spec, address)
        start.start_guard(folder, key)
    start.start_cluster(folder, found)


def _told(plan: Plan) -> set[tuple[str, bool]]:
    """What a person was asked about: which markets change, and which of them risk more."""
    return {(step.market, step.raises_risk) for step in plan.steps}


def _roll_out(
    folder: Folder, spec: FleetSpec, wishes: Wishes, output: Output, *, shown: Plan
) -> None:
    """Hand the manifest to the supervisor and wait; an empty plan makes no revision."""
    began_s = time.monotonic()
    try:
        everything = Running(guard=True, head=True, supervisor=True)
        plan = planned(folder, spec, everything, wishes.only)
        revision = plan.revision
        if _told(plan) - _told(shown):
            show(spec, plan, everything, None, put if output == "table" else say)
            confirm(spec.network, yes=wishes.yes)
        if plan.steps:
            revision = Control(folder).apply(
                encode(spec),
                plan_id=plan.plan_id,
                only=wishes.only,
                allow=wishes.allow,
                by=me(),
            )
            say(f"revision {revision}")
    except ControlDown as error:
        text = f"the supervisor stopped answering ({error})"
        raise Failure(ExitCode.NOT_CONVERGED, text, "run the same apply again") from None
    from fleet.cli.wait import wait_quoting

    names = [wishes.only] if wishes.only else list(spec.markets)
    phases = wait_quoting(folder, names, wishes.wait_s, revision)
    say(f"all {len(names)} quote, {time.monotonic() - began_s:.1f} s after the rollout began")
    done = Plan(plan_id=plan.plan_id, revision=revision, steps=plan.steps)
    _finish(spec, done, phases, output)


def _finish(spec: FleetSpec, plan: Plan, phases: dict[str, str], output: Output) -> None:
    if output == "json":
        put_json(
            {
                "fleet": spec.fleet,
                "revision": plan.revision,
                "changes": plan.steps,
                "markets": [{"market": name, "phase": phase} for name, phase in phases.items()],
            }
        )
    elif not plan.steps and not phases:
        put("no changes")
    else:
        put(f"applied: fleet {spec.fleet}, revision {plan.revision}, {len(phases)} markets quote")
