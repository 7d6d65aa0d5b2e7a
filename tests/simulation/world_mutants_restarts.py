"""Planted faults about what outlives a process: the gateway's memory, the agents' way back."""

from typing import Any

import pytest

from agents.exchange.downstream import LEASE_MS
from agents.exchange.nonce import NonceSequence
from agents.orders.tracker import OrderTracker
from agents.runtime.conversation import Conversation
from agents.runtime.requests import Requests
from agents.runtime.reunion import Told
from fleet.gateway import recover
from fleet.gateway.core import answers, posts
from fleet.gateway.core.drift import Drifts
from fleet.gateway.core.effects import Effect, Tell
from fleet.gateway.core.lease import Holder, Leases
from fleet.gateway.core.state import State
from fleet.world.disk import Disk
from fleet.world.gateway_link import GatewayLink

Patch = pytest.MonkeyPatch


# ── what outlives a restart ──────────────────────────────────────────────────────────────────


def nonces_forgotten_at_restart(patch: Patch) -> None:
    def replay(state: State, log: Any, now_ms: int) -> None:
        replayed(state, log, now_ms)
        state.nonces = NonceSequence(0)

    replayed = recover._replay
    patch.setattr(recover, "_replay", replay)


def placements_forgotten_at_restart(patch: Patch) -> None:
    patch.setattr(recover, "in_flight", lambda *_: None)


def booked_fills_forgotten_at_restart(patch: Patch) -> None:
    patch.setattr(recover, "book", lambda *_: None)
    patch.setattr(recover, "take_over", lambda *_: None)


def latch_forgotten_at_restart(patch: Patch) -> None:
    """Only the memory of the process held the halt."""
    patch.setattr(Disk, "keep_latch", lambda *_: None)


def fills_of_a_gap_not_asked_for(patch: Patch) -> None:
    """Neither at once, nor when what they add up to is not what the venue holds; nor is an answer
    that an agent waits for booked.
    """
    patch.setattr(GatewayLink, "take_fills", lambda *_: [])
    patch.setattr(Drifts, "ask_since_ms", lambda *_: None)
    patch.setattr(answers, "_fills", lambda *_: [])


def continue_accepted_for_a_dead_lease(patch: Patch) -> None:
    """Whoever asks to go on, goes on."""

    def resume(
        self: Leases, market: str, generation: int, process: str, session: int, now_ms: int
    ) -> Holder:
        held = Holder(generation, process, 0, session, now_ms + LEASE_MS)
        self.holders[market] = held
        return held

    patch.setattr(Leases, "resume", resume)


def hung_agent_speaks_on(patch: Patch) -> None:
    """A process that was stopped acts on what it finds in its buffers; so does the gateway."""
    patch.setattr(Conversation, "may_say", lambda *_: True)
    patch.setattr(Leases, "expired", lambda *_: [])
    patch.setattr(Leases, "renew", lambda *_, **__: True)


# ── the agents' shells ───────────────────────────────────────────────────────────────────────


def answers_of_a_lost_gateway_awaited(patch: Patch) -> None:
    """What was asked of the gateway that died is given up by neither shell nor engine."""
    patch.setattr(Requests, "all_lost", lambda _: [])
    patch.setattr(Requests, "overdue", lambda *_: [])
    patch.setattr(OrderTracker, "expire", lambda *_: None)


def missed_fills_not_asked_for(patch: Patch) -> None:
    """Over a restart of the gateway an agent misses what traded meanwhile."""
    patch.setattr(Conversation, "_ask_fills", lambda *_: [])
    patch.setattr(posts, "_fills_since_lease", _no_fills)


def _no_fills(state: State, session: Any) -> Effect:
    del state
    return Tell(session=session.id, data=b'{"channel":"pong"}')


def news_of_a_restart_ignored(patch: Patch) -> None:
    """An agent that was taken back goes on under the terms it knew."""
    patch.setattr(Told, "news", lambda *_: [])
