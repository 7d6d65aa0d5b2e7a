"""Which events and commands are worth a line in the agent's log, and what the line says."""

from agents.commands import (
    AskOpenOrders,
    AskOrder,
    Cancel,
    Command,
    Exit,
    OpenFence,
    Place,
    RequestFence,
)
from agents.events import (
    CancelAnswered,
    DirectiveReceived,
    DrainRequested,
    Event,
    FenceChanged,
    Fills,
    LinkChanged,
    OpenOrders,
    OrderStatus,
    OutcomeUnknown,
    PauseChanged,
    PlaceAnswered,
    RequestRefused,
    SettingsChanged,
)
from agents.telemetry.logs import Log


def note_command(log: Log, command: Command) -> None:
    """Everything that leaves but renewals, which say nothing new twice a second."""
    match command:
        case Place(request_id=request_id, orders=orders):
            rows = [f"{o.side.value} {o.sz} @ {o.px} {o.tif} {o.cloid}" for o in orders]
            log.info("order.place", request=request_id, orders=rows)
        case Cancel(request_id=request_id, cloids=cloids):
            log.info("order.cancel", request=request_id, cloids=list(cloids))
        case AskOpenOrders(request_id=request_id):
            log.info("orders.ask", request=request_id)
        case AskOrder(cloid=cloid):
            log.info("order.ask", cloid=cloid)
        case RequestFence(reason=reason, transient=transient, flatten=flatten):
            log.warning("fence.ask", reason=reason, transient=transient, flatten=flatten)
        case OpenFence(reason=reason):
            log.warning("fence.open", reason=reason)
        case Exit(code=code, reason=reason):
            log.warning("agent.leave", code=code, reason=reason)
        case _:
            return


def note_event(log: Log, event: Event) -> None:
    """What happened to our orders, and what the gateway told us; market data is not noted."""
    match event:
        case Fills(fills=fills, is_snapshot=False):
            rows = [f"{f.side.value} {f.sz} @ {f.px} tid {f.tid} {f.cloid}" for f in fills]
            taker = sum(fill.crossed for fill in fills)
            log.info("order.filled", fills=rows, taker=taker)
        case PlaceAnswered(request_id=request_id, results=results):
            refused = [result.text for result in results if result.kind == "refused"]
            if refused:
                log.warning("order.rejected", request=request_id, texts=refused)
        case CancelAnswered(request_id=request_id, errors=errors):
            failed = [error for error in errors if error is not None]
            if failed:
                log.info("cancel.rejected", request=request_id, texts=failed)
        case RequestRefused(request_id=request_id, reason=reason, text=text):
            log.warning("request.refused", request=request_id, reason=reason, text=text)
        case OutcomeUnknown(request_id=request_id):
            log.warning("request.unanswered", request=request_id)
        case OpenOrders(request_id=request_id, orders=orders):
            log.info("orders.seen", request=request_id, count=len(orders))
        case OrderStatus(cloid=cloid, status=status):
            log.info("order.seen", cloid=cloid, status=status)
        case _:
            _note_control(log, event)


def _note_control(log: Log, event: Event) -> None:
    match event:
        case LinkChanged(state=state, since_ms=since_ms):
            log.info("link.changed", state=state, since_ms=since_ms)
        case FenceChanged(closed=closed, reason=reason):
            log.info("fence.changed", closed=closed, reason=reason)
        case DirectiveReceived(seq=seq, mode=mode, reason=reason) if mode != "normal":
            log.warning("directive.received", seq=seq, mode=mode, reason=reason)
        case SettingsChanged(revision=revision):
            log.info("settings.changed", revision=revision)
        case DrainRequested(deadline_ms=deadline_ms):
            log.info("drain.requested", deadline_ms=deadline_ms)
        case PauseChanged(paused=paused):
            log.info("pause.changed", paused=paused)
        case _:
            return
