"""Faults planted in the gateway and round it: the world must notice each of them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import pytest

from agents.exchange.nonce import NonceSequence
from agents.handlers import room
from agents.risk import monitors, service
from agents.runtime import inbound
from fleet.gateway.core import (
    agents,
    capping,
    door,
    posts,
    requests,
    sweeps,
    venue,
)
from fleet.gateway.core.bookings import Bookings
from fleet.gateway.core.effects import Effect, Submit
from fleet.gateway.core.lease import Holder, Leases
from fleet.gateway.core.state import State
from fleet.gateway.keeping import Keeping
from tests.simulation import world_mutants_care as of_care
from tests.simulation import world_mutants_outcomes as of_outcomes
from tests.simulation import world_mutants_replacing as of_replacing
from tests.simulation import world_mutants_restarts as of_restarts

Patch = pytest.MonkeyPatch


def fence_forgotten(patch: Patch) -> None:
    """A halt latches, and neither the door nor the agents hear of it."""
    checked = door.check

    def check(action: Any, known: door.Door) -> Any:
        open_door = msgspec.structs.replace(known, shut=None, latched=False)
        return checked(action, open_door)

    def fence_frames(state: State, market: str) -> list[Effect]:
        del state, market
        return []

    patch.setattr(posts, "check", check)
    patch.setattr(agents, "fence_frames", fence_frames)


def lease_never_expires(patch: Patch) -> None:
    patch.setattr(Leases, "expired", lambda *_: [])


def closed_socket_keeps_its_lease(patch: Patch) -> None:
    def closed(state: State, session_id: int, now_ms: int) -> list[Effect]:
        del now_ms
        state.sessions.pop(session_id, None)
        return agents.unwatch(state.routing.forget(session_id))

    patch.setattr(agents, "closed", closed)


def generation_given_twice(patch: Patch) -> None:
    issued = Leases.issue

    def issue(self: Leases, market: str, *rest: Any) -> Holder:
        self.number(market)
        self.rows[market].generation = 0
        return issued(self, market, *rest)

    patch.setattr(Leases, "issue", issue)


def nonce_by_raw_clock(patch: Patch) -> None:
    patch.setattr(NonceSequence, "next", lambda _, now_ms: now_ms)


def unknown_outcome_sent_again(patch: Patch) -> None:
    """Instead of voiding a placement whose answer is lost, it is placed once more."""
    sent: dict[int, Submit] = {}
    submitted, voided = requests._submit, requests.void

    def submit(state: State, *rest: Any, **named: Any) -> Submit:
        made = submitted(state, *rest, **named)
        if made.placement:
            sent[made.nonce] = made
        return made

    def void(state: State, nonce: int, clearing: str | None, now_ms: int) -> Effect:
        noop = voided(state, nonce, clearing, now_ms)
        first = sent.get(nonce)
        if first is None:
            return noop
        return msgspec.structs.replace(first, nonce=state.nonces.next(now_ms))

    patch.setattr(requests, "_submit", submit)
    patch.setattr(requests, "void", void)


def fills_booked_by_presence(patch: Patch) -> None:
    """No look at the trade's id: what comes is booked."""
    patch.setattr(Bookings, "fill_is_new", lambda *_: True)


def nothing_swept(patch: Patch) -> None:
    """What a dead agent leaves behind stays."""

    def start(state: State, market: str, now_ms: int) -> list[Effect]:
        del state, market, now_ms
        return []

    patch.setattr(sweeps, "start", start)


def stale_data_accepted(patch: Patch) -> None:
    kept = tuple(monitor for monitor in monitors.MONITORS if monitor is not service.data)
    patch.setattr(monitors, "MONITORS", kept)


def limit_counts_no_open_orders(patch: Patch) -> None:
    """At the door and in the engine only the position counts."""
    patch.setattr(door, "within", lambda *_, **__: True)
    patch.setattr(posts, "check", door.check)
    made: Callable[..., Any] = room.capacity_sz  # type: ignore[attr-defined]

    def capacity_sz(**known: Any) -> Any:
        return made(**{**known, "open_sz": known["open_sz"] * 0})

    patch.setattr(room, "capacity_sz", capacity_sz)


# ── doors ────────────────────────────────────────────────────────────────────────────────────


def second_controller_ignored(patch: Patch) -> None:
    patch.setattr(venue, "_second_controller", lambda *_: [])


def draining_market_opens(patch: Patch) -> None:
    """Neither the door nor the agent hears of a drain."""
    patch.setattr(posts, "door_of", _without(posts.door_of, draining=False))
    patch.setattr(inbound, "DrainRequested", lambda *_: None)


def log_need_not_be_written(patch: Patch) -> None:
    """A placement leaves although its line did not reach the disk: a restart forgets it."""

    def append(self: Keeping, body: Any, wall_ns: int) -> bool:
        appended(self, body, wall_ns)
        return True

    appended = Keeping.append
    patch.setattr(Keeping, "append", append)


def _without(made: Callable[..., door.Door], **fields: Any) -> Callable[..., door.Door]:
    def door_of(*known: Any) -> door.Door:
        return msgspec.structs.replace(made(*known), **fields)

    return door_of


def caps_forgotten(patch: Patch) -> None:
    """Each market has its own limit; what they come to together is nobody's business."""
    patch.setattr(capping, "judge", lambda *_: lambda _: None)
    patch.setattr(
        capping, "room", lambda state: {m: agents.limit_usd(state, m) for m in state.markets}
    )
    patch.setattr(capping, "beyond", lambda _: [])


Seeds: TypeAlias = tuple[int, ...]

COMMON: dict[Callable[[Patch], None], Seeds] = {
    closed_socket_keeps_its_lease: (9, 1, 16),
    generation_given_twice: (3, 6),
    nonce_by_raw_clock: (5, 0),
    unknown_outcome_sent_again: (6, 2),
    fills_booked_by_presence: (5, 2),
    limit_counts_no_open_orders: (1, 3),
    caps_forgotten: (11, 13),
    of_outcomes.timeout_means_cancelled: (2, 3),
    of_outcomes.not_sent_for_lost: (4, 8),
    of_outcomes.expiry_without_margin: (9, 2),
    of_outcomes.closing_counts_as_gone: (1, 3),
    of_restarts.booked_fills_forgotten_at_restart: (5, 8, 1),
    of_care.caretaker_works_beside_the_agent: (1, 3),
    of_care.caretaker_may_add: (1, 3),
    of_replacing.replaced_counts_as_gone: (0, 1),
    of_replacing.unsent_replacement_took_the_old: (0, 1),
    of_replacing.unknown_orders_ignored: (0, 1),
}
"""With seeds that show it; at least one in five does, so that one will whatever shifts."""

RARE: dict[Callable[[Patch], None], Seeds] = {
    nothing_swept: (0, 26),
    fence_forgotten: (10, 9),
    lease_never_expires: (26,),
    stale_data_accepted: (23,),
    of_outcomes.snapshot_believed_early: (21, 10),
    of_outcomes.absence_believed_in_flight: (2,),
    of_restarts.nonces_forgotten_at_restart: (),
    of_restarts.placements_forgotten_at_restart: (),
    of_restarts.latch_forgotten_at_restart: (176, 193),
    of_restarts.fills_of_a_gap_not_asked_for: (38,),
    of_restarts.continue_accepted_for_a_dead_lease: (9,),
    of_restarts.hung_agent_speaks_on: (26,),
    second_controller_ignored: (8, 58),
    draining_market_opens: (),
    log_need_not_be_written: (27, 11),
    of_care.collar_forgotten: (34, 51),
    of_care.orphans_left_alone: (4, 15),
    of_restarts.answers_of_a_lost_gateway_awaited: (60, 166),
    of_restarts.missed_fills_not_asked_for: (37,),
    of_restarts.news_of_a_restart_ignored: (),
    of_outcomes.cancel_reject_means_cancelled: (),
    of_outcomes.partial_fill_ends_an_order: (),
    of_replacing.old_directive_followed: (4, 18),
    of_replacing.door_collar_forgotten: (4, 7, 13),
    of_replacing.pace_forgotten: (19, 24, 26),
}
"""With the seeds known to show it; ``tests.soak.test_world`` finds them among 200."""

MUTANTS = {**COMMON, **RARE}
