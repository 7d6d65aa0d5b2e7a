"""What happens because time passes: silence is judged, questions are asked, the lease renewed."""

from typing import Final

from agents.commands import AskOpenOrders, AskOrder, Exit, Renew
from agents.events import Tick
from agents.handlers.orders import SNAPSHOT_NS
from agents.handlers.quoting import decide, on_time
from agents.handlers.report import RESTS, account_uptime, report
from agents.handlers.verdicts import refresh
from agents.market.units import NS_PER_MS, s_to_ns
from agents.state import EngineState

SNAPSHOT_UNSYNCED_NS: Final = s_to_ns(2.0)
ASKS_A_TICK: Final = 5


def on_tick(state: EngineState, _event: Tick, now_ns: int) -> None:
    state.tracker.expire(now_ns)
    refresh(state, now_ns)
    _drain(state, now_ns)
    on_time(state, now_ns)
    state.panel.on_offers(
        ((o.side, o.near_px) for o in state.tracker.live.values() if o.state in RESTS), now_ns
    )
    if state.link_up:
        _ask(state, now_ns)
    account_uptime(state, now_ns)
    if now_ns >= state.renew_due_ns:
        state.renew_due_ns = now_ns + state.renew_ns
        state.out.append(
            Renew(
                event_ns=state.event_ns,
                revision=state.revision,
                report=report(state, now_ns),
                kept=state.kept,
            )
        )


def _ask(state: EngineState, now_ns: int) -> None:
    for cloid in state.tracker.asks(now_ns, at_most=ASKS_A_TICK):
        state.out.append(AskOrder(cloid=cloid))
    sync = state.sync
    # While our own orders are still on their way out a snapshot would only say so, at its price.
    hopeless = not sync.done and not sync.keeps and bool(state.tracker.live)
    if now_ns >= sync.due_ns + (SNAPSHOT_UNSYNCED_NS if hopeless else 0):
        sync.due_ns = now_ns + (SNAPSHOT_NS if sync.done else SNAPSHOT_UNSYNCED_NS)
        state.out.append(AskOpenOrders(request_id=state.next_request_id()))


def _drain(state: EngineState, now_ns: int) -> None:
    """Flat, or out of time: cancel what rests, and go once nothing of ours may rest."""
    deadline_ms = state.drain_deadline_ms
    if deadline_ms is None:
        return
    if state.leaving is None:
        flat = state.position.sz == 0 and not state.tracker.unseen_any()
        if flat and state.sync.done:
            state.leaving = "drained"
        elif now_ns >= deadline_ms * NS_PER_MS:
            state.leaving = "drain deadline"
        if state.leaving is not None:
            refresh(state, now_ns)
            decide(state, now_ns)
    if state.leaving is not None and state.sync.done and not state.tracker.live and not state.left:
        state.left = True
        state.out.append(Exit(code=0, reason=state.leaving))
