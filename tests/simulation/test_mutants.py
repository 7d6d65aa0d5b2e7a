"""Planted bugs: each breaks an invariant of the world within a few seeds, or the world is blind."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from agents import engine, events
from agents.commands import NewOrder
from agents.events import Fills, LiveOrder, OpenOrders
from agents.handlers import account, quoting, room
from agents.market.position import Position
from agents.orders import lifecycle, tracker
from agents.orders.cloid import CloidSequence
from agents.orders.lifecycle import Signal, State
from agents.orders.tracked import TrackedOrder
from agents.orders.tracker import OrderTracker
from agents.risk import monitors
from agents.strategy import ladder
from tests.simulation.engine_checks import Violation
from tests.simulation.engine_world import simulate

SEEDS = 20

Patch = pytest.MonkeyPatch


def _row(patch: Patch, state: State, signal: Signal, after: State) -> None:
    rows = {known: dict(signals) for known, signals in lifecycle.TRANSITIONS.items()}
    rows[state][signal] = after
    patch.setattr(lifecycle, "TRANSITIONS", rows)


def timeout_means_cancelled(patch: Patch) -> None:
    _row(patch, State.SENT, Signal.TIMEOUT, State.CANCELED)


def cancel_timeout_means_cancelled(patch: Patch) -> None:
    _row(patch, State.CANCELING, Signal.TIMEOUT, State.CANCELED)


def cancel_reject_means_cancelled(patch: Patch) -> None:
    _row(patch, State.CANCELING, Signal.CANCEL_REJECT, State.CANCELED)


def snapshot_believed_early(patch: Patch) -> None:
    """Incidents 5 and 7: what a snapshot does not list is gone, whenever it was acked."""

    def apply(self: OrderTracker, event: OpenOrders, found: list[LiveOrder], now_ns: int) -> None:
        del event
        listed = {row.cloid for row in found}
        for order in list(self.live.values()):
            if order.cloid not in listed:
                self._take(order, Signal.MISSING, now_ns)

    patch.setattr(OrderTracker, "apply_snapshot", apply)


def absence_believed_early(patch: Patch) -> None:
    """An order the venue does not know yet may still be on its way."""
    patch.setattr(tracker, "ABSENCE_PROOF_NS", 0)


def fills_counted_twice(patch: Patch) -> None:
    """Incident 4."""
    original = Position.apply

    def apply(self: Position, fill: Any) -> bool:
        self._keys.clear()
        return original(self, fill)

    patch.setattr(Position, "apply", apply)


def snapshot_fills_skipped(patch: Patch) -> None:
    """Incident 6, the other way: what was missed during a gap stays missed."""
    original = account.on_fills

    def on_fills(state: Any, event: Fills, now_ns: int) -> None:
        if not event.is_snapshot:
            original(state, event, now_ns)

    handlers: dict[type[events.Event], Any] = dict(engine.HANDLERS)
    handlers[events.Fills] = on_fills
    patch.setattr(engine, "HANDLERS", handlers)


def fence_forgotten(patch: Patch) -> None:
    kept = tuple(monitor for monitor in monitors.MONITORS if monitor is not monitors.fence)
    patch.setattr(monitors, "MONITORS", kept)


def limit_ignores_open_orders(patch: Patch) -> None:
    """Incident 24."""
    original = ladder.capacity_sz

    def capacity_sz(*, side: Any, limit_sz: Decimal, position_sz: Decimal, open_sz: Any) -> Decimal:
        del open_sz
        zero = Decimal(0)
        return original(side=side, limit_sz=limit_sz, position_sz=position_sz, open_sz=zero)

    patch.setattr(room, "capacity_sz", capacity_sz)


def unknown_counts_as_gone(patch: Patch) -> None:
    original = TrackedOrder.remaining_sz

    def remaining_sz(self: TrackedOrder) -> Decimal:
        return Decimal(0) if self.state is State.UNKNOWN else original.fget(self)  # type: ignore[attr-defined]

    patch.setattr(TrackedOrder, "remaining_sz", property(remaining_sz))


def leftovers_ignored(patch: Patch) -> None:
    """Orders of the generation before rest on, unattended."""
    patch.setattr(CloidSequence, "is_ours", CloidSequence.is_own)


def quotes_may_take(patch: Patch) -> None:
    """Incident 1."""

    def taking(**fields: Any) -> NewOrder:
        return NewOrder(**fields, tif="Ioc")

    patch.setattr(quoting, "NewOrder", taking)


def orders_registered_late(patch: Patch) -> None:
    """Incident 13: known only once acked."""

    def register(self: OrderTracker, request_id: int, orders: Any, now_ns: int) -> None:
        del self, request_id, orders, now_ns

    patch.setattr(OrderTracker, "register", register)


MUTANTS: tuple[Callable[[Patch], None], ...] = (
    timeout_means_cancelled,
    cancel_timeout_means_cancelled,
    cancel_reject_means_cancelled,
    snapshot_believed_early,
    absence_believed_early,
    fills_counted_twice,
    snapshot_fills_skipped,
    fence_forgotten,
    limit_ignores_open_orders,
    unknown_counts_as_gone,
    leftovers_ignored,
    quotes_may_take,
    orders_registered_late,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.__name__))
def test_mutant_is_killed(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    mutant(monkeypatch)
    for seed in range(SEEDS):
        try:
            simulate(seed)
        except Violation:
            return
    pytest.fail(f"{mutant.__name__} survived {SEEDS} seeds")
