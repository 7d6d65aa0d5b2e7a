"""``fleet down``: agents released, orders gone and proven, every process ended, sockets removed.

    positions? -> agents and risk stop -> Ray ends -> no order rests, seen twice -> guard ends

Ray ends before the proof, so that nobody is left who could place. On paper the venue ends as well,
and with it every order; elsewhere, what cannot be proven keeps the guard alive (exit 4).
"""

import contextlib
import time
from typing import Any, Final

from fleet import processes
from fleet.cli import operate
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.control import Control, ControlDown
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find, identity
from fleet.cli.start import GUARD_END_S
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path

PROOF_S: Final = 15.0
PROOF_INTERVAL_S: Final = 1.0
PATIENCE_S: Final = 10.0


def run(*, flatten: bool, leave_positions: bool, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    if not processes.live(folder):
        _remove_sockets(folder)
        _done(folder, output, was_running=False, proven=None)
        return
    known = identity(folder)
    on_paper = known is not None and known.network == "paper"
    if flatten and leave_positions:
        raise Failure(ExitCode.INVALID, "--flatten and --leave-positions", "name one of them")
    status = _status(folder)
    if flatten:
        _close_positions(folder, status)
    elif not on_paper and not leave_positions:
        _refuse_open_positions(status)
    _release(folder, status)
    if flatten:
        _unpause(folder, status)
    _end_cluster(folder)
    proven = _prove_no_orders(folder) if status is not None else False
    if not proven and not on_paper:
        text = "the agents are gone, but it is not proven that no order of ours rests"
        mend = "guard and gateway run on: fleet halt, then fleet down again"
        raise Failure(ExitCode.NOT_CONVERGED, text, mend)
    _end_all(folder)
    _remove_sockets(folder)
    _done(folder, output, was_running=True, proven=proven)


def _status(folder: Folder) -> GatewayStatus | None:
    try:
        return GatewayClient(folder, PATIENCE_S).status()
    except (Unreachable, ApiFailure):
        return None


def _close_positions(folder: Folder, status: GatewayStatus | None) -> None:
    """The caretaker closes all; every market is flattened, so that no agent trades meanwhile."""
    if status is None:
        text = "the gateway is out of reach, and it alone closes positions"
        raise Failure(ExitCode.OUT_OF_REACH, text, "fleet apply MANIFEST brings it back")
    markets = [market.market for market in status.markets]
    for market in markets:
        operate.tell(folder, market, "flatten")
    if not operate.follow_flat(folder, markets):
        text = "positions are still open, inside the caretaker's collar it found no price"
        mend = "everything runs on: fleet status; or fleet down --leave-positions"
        raise Failure(ExitCode.NOT_CONVERGED, text, mend)


def _unpause(folder: Folder, status: GatewayStatus | None) -> None:
    """What was paused only to be closed quotes again at the next apply."""
    client = GatewayClient(folder, PATIENCE_S)
    for market in status.markets if status else ():
        if market.paused:
            continue  # the operator's own
        with contextlib.suppress(Unreachable, ApiFailure):
            client.post(market_path(market.market, "unpause"))


def _refuse_open_positions(status: GatewayStatus | None) -> None:
    if status is None:
        text = "the gateway is out of reach, so open positions are not known"
        raise Failure(ExitCode.OUT_OF_REACH, text, "use --leave-positions to stop all the same")
    held = [f"{m.market} {m.position_sz:f}" for m in status.markets if m.position_sz]
    if held:
        text = f"open positions: {', '.join(held)}"
        raise Failure(ExitCode.INVALID, text, "say --flatten or --leave-positions")


def _release(folder: Folder, status: GatewayStatus | None) -> None:
    """Let the supervisor stop the agents; where it is away, the gateway takes their leases."""
    try:
        Control(folder, timeout_s=60.0).down()
        say("stopped  agents, risk")
        return
    except (ControlDown, Failure) as error:
        say(f"the supervisor does not stop the agents ({error}); taking their leases")
    client = GatewayClient(folder, PATIENCE_S)
    for market in status.markets if status else ():
        try:
            client.post(market_path(market.market, "revoke"))
        except (Unreachable, ApiFailure) as error:
            say(f"{market.market}: its lease stays ({error})")


def _end_cluster(folder: Folder) -> None:
    from fleet.cluster.session import ClusterFailed, stop_head

    try:
        stop_head(folder)
    except ClusterFailed as error:
        raise Failure(ExitCode.UNEXPECTED, error.text, error.mend) from None
    say("stopped  supervisor, Ray")


def _prove_no_orders(folder: Folder) -> bool:
    """Two looks a second apart that show no order of ours and nothing unresolved."""
    deadline_s = time.monotonic() + PROOF_S
    looks = 0
    while looks < 2:
        status = _status(folder)
        clear = (
            status is not None
            and status.unresolved == 0
            and not any(market.open_orders for market in status.markets)
        )
        looks = looks + 1 if clear else 0
        if looks < 2:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(PROOF_INTERVAL_S if clear else 0.2)
    say("proven   no order of ours rests")
    return True


def _end_all(folder: Folder) -> None:
    """The guard ends its children in their order; then nothing of the fleet may be left."""
    processes.stop(folder, "guard", GUARD_END_S)
    for left in processes.live(folder):
        say(f"{left.name} ({left.pid}) outlived the guard; ending it")
        processes.end(left.pid, processes.start_ticks(left.pid), timeout_s=3.0)
    if remaining := processes.live(folder):
        named = ", ".join(f"{left.name} ({left.pid})" for left in remaining)
        text = f"these processes do not end: {named}"
        raise Failure(ExitCode.NOT_CONVERGED, text, "end them by hand: kill -9 PID")
    processes.clear_stale(folder)
    say("stopped  gateway, ledger, guard")


def _remove_sockets(folder: Folder) -> None:
    for socket in (folder.gateway_sock, folder.control_sock):
        socket.unlink(missing_ok=True)


def _done(folder: Folder, output: Output, *, was_running: bool, proven: bool | None) -> None:
    name = folder.root.name
    if output == "json":
        document: dict[str, Any] = {"fleet": name, "was_running": was_running}
        put_json({**document, "flat_of_orders": proven, "processes_left": 0})
    elif was_running:
        put(f"fleet {name} is down: no process of it is left")
    else:
        put(f"fleet {name} is not running: nothing to stop")
