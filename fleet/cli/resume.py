"""``fleet resume``: lifts the halt latch, by the gateway, or by hand where no fleet runs."""

import fcntl

from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import ResumeRequest
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable

PATIENCE_S = 30.0


def run(reason: str, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    halted = folder.halt.exists()
    if not halted and not _fenced_off(folder):
        _done(output, lifted=False, text="not halted: nothing to lift")
        return
    request = ResumeRequest(reason=reason, by=me())
    try:
        GatewayClient(folder, PATIENCE_S).post("/v1/resume", request)
    except ApiFailure as failure:
        raise Failure(failure.error.exit, failure.error.text, failure.error.mend) from None
    except Unreachable as error:
        _lift_at_rest(folder, str(error))
        text = "halt lifted; the fleet doesn't run: fleet apply starts it"
        _done(output, lifted=True, text=text)
        return
    what = "halt lifted" if halted else "not halted; the fences are open"
    _done(output, lifted=halted, text=f"{what}; markets come back as they warm up")


def _fenced_off(folder: Folder) -> bool:
    """Whether a market's fence waits for a person: its kill switch, or another controller."""
    try:
        return any(view.fenced for view in GatewayClient(folder, PATIENCE_S).status().markets)
    except (ApiFailure, Unreachable):
        return False


def _lift_at_rest(folder: Folder, why: str) -> None:
    """Remove the latch of a fleet that doesn't run: holding its lock, no gateway can come up."""
    with folder.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = f"the gateway of fleet {folder.root.name} is out of reach ({why})"
            mend = "its guard restarts it: try again in a few seconds"
            raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
        folder.halt.unlink(missing_ok=True)


def _done(output: Output, *, lifted: bool, text: str) -> None:
    if output == "json":
        put_json({"halted": False, "lifted": lifted})
    else:
        put(text)
