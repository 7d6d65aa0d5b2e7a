"""Requests under way: each has an id on the wire, and ends once, by an answer or a deadline."""

from typing import Final

import msgspec

from agents.commands import AskOpenOrders, AskOrder, Cancel, Place
from agents.events import (
    CancelAnswered,
    Event,
    Fills,
    OpenOrders,
    OrderStatus,
    OutcomeUnknown,
    PlaceAnswered,
    RequestRefused,
)
from agents.exchange import errors
from agents.exchange.codec import PostFrame, decode_cancel_answer, decode_info, decode_order_answer
from agents.exchange.codec_account import to_fill, to_live
from agents.exchange.wire_account import FrontendOrder, OrderStatusWire, WsFill
from agents.market.types import Coin
from agents.market.units import NS_PER_S

UNANSWERED_NS: Final = 5 * NS_PER_S


class AskFills(msgspec.Struct, frozen=True):
    """Every fill since ``since_ms`` (venue time): the shell's own question, after a restart."""

    since_ms: int


Asked = Place | Cancel | AskOpenOrders | AskOrder | AskFills


class _Pending(msgspec.Struct, frozen=True):
    command: Asked
    sent_ns: int


class _OpenOrdersInfo(msgspec.Struct, frozen=True):
    data: tuple[FrontendOrder, ...]


class _FillsInfo(msgspec.Struct, frozen=True):
    data: tuple[WsFill, ...]


class _OrderStatusInfo(msgspec.Struct, frozen=True):
    data: OrderStatusWire


class Requests:
    """Matches answers to commands by post id. Bounded: an entry leaves after 5 s at the latest."""

    def __init__(self, coin: Coin) -> None:
        self._coin = coin
        self._last_id = 0
        self._pending: dict[int, _Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def register(self, command: Asked, now_ns: int) -> int:
        """The post id under which ``command`` is about to be sent."""
        self._last_id += 1
        self._pending[self._last_id] = _Pending(command, now_ns)
        return self._last_id

    def answered(self, frame: PostFrame) -> Event | None:
        """The event that an answer is; None if nobody waits for it any more."""
        pending = self._pending.pop(frame.id, None)
        if pending is None:
            return None
        try:
            if frame.kind == "error":
                raise errors.from_post_error(decode_info(bytes(frame.payload_raw), str))
            return self._read(pending, bytes(frame.payload_raw))
        except errors.OutcomeUnknown:
            return _unknown(pending.command)
        except (errors.NotSent, errors.Rejected) as error:
            return _refused(pending.command, "venue", str(error))
        except errors.MalformedFrame:
            return _unknown(pending.command)

    def refused(self, post_id: int, reason: str, text: str) -> Event | None:
        """The gateway sent nothing."""
        pending = self._pending.pop(post_id, None)
        return None if pending is None else _refused(pending.command, reason, text)

    def lost(self, post_id: int) -> Event | None:
        """It was sent, and the gateway says its answer is lost."""
        pending = self._pending.pop(post_id, None)
        return None if pending is None else _unknown(pending.command)

    def all_lost(self) -> list[Event]:
        """The connection broke: one event for each request that was under way."""
        events = [_unknown(pending.command) for pending in self._pending.values()]
        self._pending.clear()
        return [event for event in events if event is not None]

    def overdue(self, now_ns: int) -> list[Event]:
        """One event for each request that nobody answered in time."""
        late = [
            post_id
            for post_id, pending in self._pending.items()
            if now_ns - pending.sent_ns >= UNANSWERED_NS
        ]
        events = [_unknown(self._pending.pop(post_id).command) for post_id in late]
        return [event for event in events if event is not None]

    def _read(self, pending: _Pending, payload: bytes) -> Event:
        command = pending.command
        match command:
            case Place():
                results = decode_order_answer(payload, len(command.orders))
                return PlaceAnswered(command.request_id, results)
            case Cancel():
                texts = decode_cancel_answer(payload, len(command.cloids))
                return CancelAnswered(command.request_id, texts)
            case AskOpenOrders():
                rows = decode_info(payload, _OpenOrdersInfo).data
                return OpenOrders(
                    request_id=command.request_id,
                    requested_ns=pending.sent_ns,
                    orders=tuple(to_live(row) for row in rows if row.coin == self._coin),
                )
            case AskFills():
                fills = map(to_fill, decode_info(payload, _FillsInfo).data)
                ours = tuple(fill for fill in fills if fill.coin == self._coin)
                return Fills(ours, is_snapshot=True)
            case AskOrder():
                row = decode_info(payload, _OrderStatusInfo).data.order
                return OrderStatus(
                    cloid=command.cloid,
                    requested_ns=pending.sent_ns,
                    status=None if row is None else row.status,
                    oid=None if row is None else row.order.oid,
                    remaining_sz=None if row is None else row.order.sz,
                )


def _refused(command: Asked, reason: str, text: str) -> Event | None:
    """None for ``AskOrder`` and ``AskFills``: they are asked again by a timer."""
    if isinstance(command, AskOrder | AskFills):
        return None
    return RequestRefused(command.request_id, reason, text)


def _unknown(command: Asked) -> Event | None:
    if isinstance(command, AskOrder | AskFills):
        return None
    return OutcomeUnknown(command.request_id)
