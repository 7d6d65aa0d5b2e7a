"""Planted faults about replacing, in two monitors, and at the door."""

from typing import Any

import pytest

from agents.exchange.wire import BatchModifyAction
from agents.orders.lifecycle import Signal
from agents.orders.request import Request
from agents.orders.tracker import OrderTracker
from agents.risk import gates, monitors
from fleet.gateway.core import door, requests
from fleet.gateway.core.effects import Effect
from fleet.gateway.core.pace import Pace
from fleet.gateway.core.state import State

Patch = pytest.MonkeyPatch


# ── replacing ────────────────────────────────────────────────────────────────────────────────


def replaced_counts_as_gone(patch: Patch) -> None:
    """The gateway counts no more what is to be replaced, as soon as it is told to."""

    def place(
        state: State, session: Any, agent_id: int, action: Any, checked: Any, now_ms: int
    ) -> Effect:
        sent = placed(state, session, agent_id, action, checked, now_ms)
        if isinstance(action, BatchModifyAction):
            for modify in action.modifies:
                state.orders.drop(str(modify.oid))
        return sent

    placed = requests.place
    patch.setattr(requests, "place", place)


def unsent_replacement_took_the_old(patch: Patch) -> None:
    """The engine gives up what was to be replaced, though the gateway sent nothing."""

    def not_sent(self: OrderTracker, request_id: int, now_ms: int) -> Request | None:
        request = told(self, request_id, now_ms)
        for cloid in () if request is None else request.replaces:
            self._signal(cloid, Signal.CANCEL_ACK, now_ms)
        return request

    told = OrderTracker.not_sent
    patch.setattr(OrderTracker, "not_sent", not_sent)


# ── what an agent may do ─────────────────────────────────────────────────────────────────────


def old_directive_followed(patch: Patch) -> None:
    """What the risk actor said once holds for ever."""
    _without(patch, gates.directive_age)


def unknown_orders_ignored(patch: Patch) -> None:
    """It quotes before it knows what of its own rests."""
    _without(patch, gates.readiness)


# ── what the door keeps from an agent gone mad ───────────────────────────────────────────────


def door_collar_forgotten(patch: Patch) -> None:
    patch.setattr(door, "_beyond", lambda *_: None)


def pace_forgotten(patch: Patch) -> None:
    patch.setattr(Pace, "sends", lambda *_: True)


def _without(patch: Patch, *monitored: Any) -> None:
    kept = tuple(monitor for monitor in monitors.MONITORS if monitor not in monitored)
    patch.setattr(monitors, "MONITORS", kept)
