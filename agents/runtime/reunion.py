"""What an engine is told after a gateway restart, and in which order, so that its quotes may stay.

Between the last frame of the old gateway and the first of the new one lie a few seconds in which
nothing was seen. Judged by the clock alone, the engine's book is old then, and old data means to
cancel everything. So what makes it decide is held back until fresh market data is in.
"""

from typing import Final

import msgspec

from agents.events import (
    Bbo,
    Book,
    DirectiveReceived,
    DrainRequested,
    Event,
    FenceChanged,
    LimitsChanged,
    LinkChanged,
    OpenOrders,
    PauseChanged,
    PositionSeen,
    SettingsChanged,
)
from agents.exchange.codec import GwFrame, decode_frame
from agents.exchange.downstream import (
    EXIT_LEASE_LOST,
    Acquire,
    Continue,
    LeaseFrame,
    LeaseRefused,
    Revoked,
)
from agents.exchange.errors import MalformedFrame
from agents.market.units import NS_PER_S
from agents.runtime.departure import Departure

REJOIN_S: Final = 5.0
"""The gateway is back within 2 s, and waits for its holders for 3 s after that."""
RETRY_S: Final = 0.1
SETTLE_NS: Final = NS_PER_S
_DECISIVE: Final = (
    DirectiveReceived, DrainRequested, FenceChanged, LimitsChanged, LinkChanged, PauseChanged,
    SettingsChanged,
)  # fmt: skip
_NOT_YET: Final = "unready"


def continuing(acquired: Acquire, generation: int, event_ns: int) -> Continue:
    """The same process as ``acquired``; ``event_ns``: the last event that its engine handled."""
    return Continue(
        market=acquired.market,
        protocol=acquired.protocol,
        build=acquired.build,
        token=acquired.token,
        process=acquired.process,
        pid=acquired.pid,
        generation=generation,
        event_ns=event_ns,
    )


class NotYet(msgspec.Struct, frozen=True):
    """The gateway is not ready for an answer; ask again."""


def answer_to(raw: bytes, ask: Continue) -> LeaseFrame | NotYet | Departure | None:
    """What a frame of the new gateway means for who asked to continue; None: nothing."""
    try:
        frame = decode_frame(raw)
    except MalformedFrame:
        return None
    answer = frame.frame if isinstance(frame, GwFrame) else None
    match answer:
        case LeaseFrame(generation=generation):
            if generation == ask.generation:
                return answer
            why = f"asked to continue {ask.generation}, got {generation}"
        case LeaseRefused(reason=reason, text=text):
            if reason == _NOT_YET:
                return NotYet()
            why = f"refused: {reason}: {text}"
        case Revoked(reason=reason):
            why = f"revoked: {reason}"
        case _:
            return None
    return Departure(EXIT_LEASE_LOST, why)


class Told(msgspec.Struct):
    """What the engine was last told of its lease's terms."""

    fenced: bool
    paused: bool
    position_max_usd: float
    revision: int

    @classmethod
    def of(cls, lease: LeaseFrame) -> "Told":
        return cls(lease.fenced, lease.paused, lease.limits.position_max_usd, lease.revision)

    def note(self, event: Event) -> None:
        match event:
            case FenceChanged(closed=closed):
                self.fenced = closed
            case PauseChanged(paused=paused):
                self.paused = paused
            case LimitsChanged(position_max_usd=limit_usd):
                self.position_max_usd = limit_usd
            case SettingsChanged(revision=revision):
                self.revision = revision
            case _:
                return

    def news(self, lease: LeaseFrame) -> list[Event]:
        """How the terms of the continued lease differ from those that the engine knows."""
        events: list[Event] = []
        if lease.fenced != self.fenced:
            events.append(FenceChanged(lease.fenced, "found after the gateway's restart"))
        if lease.paused != self.paused:
            events.append(PauseChanged(lease.paused))
        if lease.limits.position_max_usd != self.position_max_usd:
            events.append(LimitsChanged(lease.limits.position_max_usd))
        if lease.revision != self.revision:
            events.append(SettingsChanged(lease.revision, lease.settings))
        directive = lease.directive
        if directive is not None:
            events.append(
                DirectiveReceived(
                    directive.seq, directive.as_of_ms, directive.mode, directive.reason
                )
            )
        return events


def open_state(lease: LeaseFrame, closed_ns: int) -> list[Event]:
    """The account as the new gateway found it, which was after ``closed_ns``.

    An order of ours that it doesn't list is doubted and asked about; none is given up unasked.
    """
    state = lease.state
    return [
        OpenOrders(request_id=0, requested_ns=closed_ns, orders=state.open_orders),
        PositionSeen(state.as_of_ms, state.position_sz, state.entry_px),
    ]


class Settling:
    """Holds back what makes the engine decide, until market data came, or ``SETTLE_NS`` passed."""

    def __init__(self, until_ns: int) -> None:
        self._until_ns = until_ns
        self._held: list[Event] = []

    def admit(self, event: Event, now_ns: int) -> tuple[list[Event], bool]:
        """(what to feed now, whether all is settled)."""
        if isinstance(event, LinkChanged):
            if event.state == "gap":
                return [*self._held, event], True
            # The lease was given after the link came up: what it says is the recovery.
            event = LinkChanged("up", event.since_ms, event.venue_offset_ms)
        if isinstance(event, _DECISIVE) and now_ns < self._until_ns:
            self._held.append(event)
            return [], False
        if isinstance(event, Book | Bbo) or now_ns >= self._until_ns:
            return [event, *self._held], True
        return [event], False

    def over(self, now_ns: int) -> bool:
        """Whether time is up, data or not."""
        return now_ns >= self._until_ns

    def rest(self) -> list[Event]:
        return self._held
