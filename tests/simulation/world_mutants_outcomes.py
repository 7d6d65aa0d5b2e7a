"""Planted faults about what became of an order: lost answers, snapshots, fills."""

from typing import Any

import pytest

from fleet.gateway.core import (
    orders,
    requests,
    timers,
)
from fleet.gateway.core.effects import Effect
from fleet.gateway.core.orders import Orders
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.state import State

Patch = pytest.MonkeyPatch


# ── outcomes and snapshots ───────────────────────────────────────────────────────────────────


def timeout_means_cancelled(patch: Patch) -> None:
    """A placement without an answer is taken for one that never was."""

    def unanswered(self: Orders, nonce: int, now_ms: int) -> None:
        del now_ms
        self.voided(nonce)

    patch.setattr(Orders, "unanswered", unanswered)


def not_sent_for_lost(patch: Patch) -> None:
    """What the link's loss left open counts as not sent."""

    def processed(self: Orders, nonce: int, now_ms: int) -> None:
        del now_ms
        self.voided(nonce)

    patch.setattr(Orders, "processed", processed)


def snapshot_believed_early(patch: Patch) -> None:
    """What a snapshot does not list is gone, however young the last word on it."""
    patch.setattr(orders, "SNAPSHOT_LAG_MS", -60_000)


def absence_believed_in_flight(patch: Patch) -> None:
    """An order that the venue does not know yet never comes to rest."""

    def unknowns(state: State, now_ms: int) -> list[Effect]:
        if state.link.state != "up":
            return []
        doubted = [o for o in state.orders.by_cloid.values() if o.state is OrderState.UNKNOWN]
        return [requests.order_status(state, order.cloid, now_ms) for order in doubted]

    def status(self: Orders, cloid: str, status: str | None, now_ms: int) -> None:
        if status is None:
            self.drop(cloid)
        told(self, cloid, status, now_ms)

    told = Orders.status
    patch.setattr(Orders, "status", status)
    patch.setattr(timers, "_unknowns", unknowns)


def cancel_reject_means_cancelled(patch: Patch) -> None:
    """'Was never placed' is believed of an order that is still on its way."""

    def cancelled(self: Orders, cloid: str, error: str | None, now_ms: int) -> None:
        del error, now_ms
        self.drop(cloid)

    patch.setattr(Orders, "cancelled", cancelled)


def expiry_without_margin(patch: Patch) -> None:
    """A placement is over a while before its time is."""
    patch.setattr(orders, "EXPIRY_MARGIN_MS", -60_000)


def closing_counts_as_gone(patch: Patch) -> None:
    """What rests no more counts no more, though its fills are still on their way."""
    patch.setattr(orders, "CLOSING_MAX_MS", 0)


def partial_fill_ends_an_order(patch: Patch) -> None:
    def filled(self: Orders, fill: Any) -> None:
        self.drop(fill.cloid or "")

    patch.setattr(Orders, "filled", filled)
