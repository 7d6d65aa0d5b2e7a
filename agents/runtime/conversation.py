"""One agent's side of its connection, without the connection: frames in, frames out, one engine.

Pure: it is told the time. The world in one thread runs it; ``agents.runtime.agent`` does the same
round a socket.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from agents.commands import (
    AskOpenOrders,
    AskOrder,
    Cancel,
    Command,
    Exit,
    Place,
    Renew,
    RequestFence,
)
from agents.engine import Engine
from agents.events import Event, Tick
from agents.exchange.codec import GwFrame, PostFrame, decode_frame
from agents.exchange.downstream import (
    EXIT_LEASE_LOST,
    FenceMe,
    GatewayFrame,
    LeaseFrame,
    LeaseRefused,
    LinkFrame,
    Refusal,
    Release,
    Revoked,
    Unanswered,
)
from agents.exchange.errors import MalformedFrame
from agents.market.types import Coin
from agents.runtime import outbound
from agents.runtime.inbound import event_of_gateway, events_of
from agents.runtime.requests import Requests

Observer = Callable[[Event, int, list[Command]], None]
_HOLE: Final = "a link frame is missing"


class Left(msgspec.Struct, frozen=True):
    """Why an agent left. ``code``: 0 drained and released, 75 lease gone."""

    code: int
    reason: str


class Conversation:
    """``take`` and ``tick`` return the frames to send, in order; ``left`` is set at the end.

    ``observe`` sees each event with its time and the commands it brought about.
    """

    def __init__(self, market: Coin, observe: Observer) -> None:
        self.market = market
        self.engine: Engine | None = None
        self.lease: LeaseFrame | None = None
        self.left: Left | None = None
        self._observe = observe
        self._requests = Requests(market)
        self._link_seq: int | None = None

    def take(self, raw: bytes, now_ns: int) -> list[bytes]:
        """One frame of the gateway."""
        if self.left is not None:
            return []
        try:
            frame = decode_frame(raw)
        except MalformedFrame:
            return []
        match frame:
            case GwFrame(frame=inner):
                return self._gateway(inner, now_ns)
            case PostFrame():
                return self._some(self._requests.answered(frame), now_ns)
            case _:
                return self._feed(events_of(frame, self.market), now_ns)

    def tick(self, now_ns: int) -> list[bytes]:
        """Time passed."""
        if self.engine is None or self.left is not None:
            return []
        return self._feed((*self._requests.overdue(now_ns), Tick()), now_ns)

    def closed(self) -> None:
        """The gateway closed the connection."""
        self._leave(EXIT_LEASE_LOST, "the gateway closed the socket")

    def _leave(self, code: int, reason: str) -> None:
        if self.left is None:
            self.left = Left(code, reason)

    def _gateway(self, frame: GatewayFrame, now_ns: int) -> list[bytes]:
        match frame:
            case LeaseFrame():
                return self._begin(frame, now_ns)
            case LeaseRefused(reason=reason) | Revoked(reason=reason):
                self._leave(EXIT_LEASE_LOST, reason)
                return []
            case Refusal(id=post_id, reason=reason, text=text):
                return self._some(self._requests.refused(post_id, reason, text), now_ns)
            case Unanswered(id=post_id):
                return self._some(self._requests.lost(post_id), now_ns)
            case _:
                if isinstance(frame, LinkFrame):
                    if self._link_seq is not None and frame.seq != self._link_seq + 1:
                        self._leave(EXIT_LEASE_LOST, _HOLE)
                        return []
                    self._link_seq = frame.seq
                return self._some(event_of_gateway(frame, self.market), now_ns)

    def _begin(self, lease: LeaseFrame, now_ns: int) -> list[bytes]:
        self.lease = lease
        self.engine = Engine(lease, now_ns)
        return [*outbound.subscriptions(self.market), *self._feed((Tick(),), now_ns)]

    def _some(self, event: Event | None, now_ns: int) -> list[bytes]:
        return [] if event is None else self._feed((event,), now_ns)

    def _feed(self, events: Iterable[Event], now_ns: int) -> list[bytes]:
        frames: list[bytes] = []
        for event in events:
            if self.engine is None or self.left is not None:
                break
            commands = self.engine.handle(event, now_ns)
            self._observe(event, now_ns, commands)
            for command in commands:
                frames += self._frames(command, now_ns)
        return frames

    def _frames(self, command: Command, now_ns: int) -> list[bytes]:
        assert self.lease is not None
        generation = self.lease.generation
        match command:
            case Place() | Cancel() | AskOpenOrders() | AskOrder():
                post_id = self._requests.register(command, now_ns)
                asset_id = self.lease.instrument.asset_id
                return [outbound.post(command, post_id, asset_id=asset_id, generation=generation)]
            case Renew():
                return [outbound.renew_frame(command, generation)]
            case RequestFence(reason=reason):
                return [outbound.gateway_frame(FenceMe(generation, reason))]
            case Exit(code=code, reason=reason):
                self._leave(code, reason)
                return [outbound.gateway_frame(Release(generation, reason))] if code == 0 else []
            case _:
                raise AssertionError(f"no way to carry out {command!r}")
