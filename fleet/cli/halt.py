"""``fleet halt``: latch, fence, cancel, prove; a line a stage, exit 0 only when it is proven."""

from typing import Any

import msgspec

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import HaltReport, HaltRequest
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable

PATIENCE_S = 60.0


class Wishes(msgspec.Struct, frozen=True):
    """What the user asked for."""

    reason: str
    flatten: bool
    foreign: bool
    direct: bool


def run(wishes: Wishes, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    if wishes.direct:
        if wishes.flatten:
            text = "--direct only cancels: closing positions takes a gateway"
            raise Failure(ExitCode.INVALID, text, "leave --flatten out")
        from fleet.cli.direct import halt_direct

        report = halt_direct(folder, wishes.reason, foreign=wishes.foreign)
    else:
        report = _by_gateway(folder, wishes)
    if output == "json":
        put_json(report)
    else:
        _print(report)
    if not report.flat_of_orders:
        text = "halted, but not yet proven flat of orders"
        raise Failure(ExitCode.NOT_CONVERGED, text, "run fleet halt again; see fleet status")
    if wishes.flatten and not report.flat_of_positions:
        held = [f"{m.market} {m.position_sz:.10g}" for m in report.markets if m.position_sz]
        text = f"halted and flat of orders, but positions stay open: {', '.join(held)}"
        mend = "the caretaker goes on inside its collar: fleet status; or close them by hand"
        raise Failure(ExitCode.NOT_CONVERGED, text, mend)


def _by_gateway(folder: Folder, wishes: Wishes) -> HaltReport:
    request = HaltRequest(reason=wishes.reason, by=me(), flatten=wishes.flatten, all=wishes.foreign)
    last: dict[str, Any] | None = None
    try:
        for stage in GatewayClient(folder, PATIENCE_S).halt(request):
            if last is not None:
                say(_stage(last))
            last = stage
    except Unreachable as error:
        text = f"the gateway of fleet {folder.root.name} is out of reach ({error})"
        mend = "cancel without it: fleet halt --direct; fleet apply MANIFEST brings it back"
        raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
    except ApiFailure as failure:
        raise Failure(failure.error.exit, failure.error.text, failure.error.mend) from None
    return _report(last)


def _report(last: dict[str, Any] | None) -> HaltReport:
    try:
        return msgspec.convert(last, HaltReport)
    except msgspec.ValidationError as error:
        text = f"the gateway ended the halt without its report ({error})"
        raise Failure(ExitCode.NOT_CONVERGED, text, "run fleet halt again") from None


def _stage(stage: dict[str, Any]) -> str:
    return f"{stage.get('ms', 0):>6} ms  {stage.get('stage', '')}"


def _print(report: HaltReport) -> None:
    for market in report.markets:
        held = f"{market.position_sz:.10g}"
        put(f"{market.market:<12} {market.orders_cancelled:>4} cancelled  position {held}")
    proof = report.proof
    put(
        f"halted: {report.reason}; first refusal {_ms(report.first_refusal_ms)},"
        f" cleared {_ms(report.cleared_ms)}, proven {_ms(report.proven_ms)}"
    )
    put(
        f"proof: {proof.in_flight_unresolved} unresolved, {proof.voided} voided,"
        f" {proof.snapshots} snapshots {proof.interval_ms} ms apart;"
        f" foreign orders: {report.foreign_orders}"
    )
    put(f"flat of orders: {'yes' if report.flat_of_orders else 'NO'}")


def _ms(value: int | None) -> str:
    return "never" if value is None else f"{value} ms"
