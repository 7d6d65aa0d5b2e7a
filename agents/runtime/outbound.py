"""From the engine's commands to frames for the gateway: unsigned, under lease and generation."""

from collections.abc import Sequence

import msgspec

from agents.commands import AskOpenOrders, AskOrder, Cancel, NewOrder, Place, Renew
from agents.exchange.codec import (
    encode_cancel,
    encode_place,
    encode_replace,
    post_frame,
    subscribe_frame,
)
from agents.exchange.downstream import AgentFrame, RenewLease, ToGateway
from agents.exchange.wire import BatchModifyAction, OrderAction
from agents.market.types import Coin
from agents.runtime.requests import Asked, AskFills


def gateway_frame(frame: AgentFrame) -> bytes:
    """A frame of the ``gw`` channel."""
    return msgspec.json.encode(ToGateway(frame))


def subscriptions(coin: Coin) -> Sequence[bytes]:
    """What an agent listens to; its own orders and fills first, so that none is missed."""
    return [
        subscribe_frame({"type": "orderUpdates"}),
        subscribe_frame({"type": "userFills"}),
        subscribe_frame({"type": "activeAssetCtx", "coin": coin}),
        subscribe_frame({"type": "l2Book", "coin": coin, "fast": True}),  # slow comes each 5 s
        subscribe_frame({"type": "bbo", "coin": coin}),
        subscribe_frame({"type": "trades", "coin": coin}),
    ]


def renew_frame(command: Renew, generation: int) -> bytes:
    frame = RenewLease(generation, command.event_ns, command.revision, command.report, command.kept)
    return gateway_frame(frame)


def encode_orders(orders: Sequence[NewOrder], asset_id: int) -> OrderAction | BatchModifyAction:
    """New orders, or all of them in the place of old ones."""
    if orders[0].replaces is None:
        return encode_place(orders, asset_id)
    return encode_replace(orders, asset_id)


def post(command: Asked, post_id: int, *, asset_id: int, generation: int) -> bytes:
    """The post of a command. The gateway fills ``user`` and ``dex`` into questions."""
    match command:
        case Place(orders=orders, value_usd=value_usd):
            action: object = encode_orders(orders, asset_id)
        case Cancel(cloids=cloids):
            action, value_usd = encode_cancel(cloids, asset_id), 0.0
        case AskOpenOrders():
            return post_frame(post_id, {"type": "frontendOpenOrders"}, "info")
        case AskOrder(cloid=cloid):
            return post_frame(post_id, {"type": "orderStatus", "oid": cloid}, "info")
        case AskFills(since_ms=since_ms):
            since = {"type": "userFillsByTime", "startTime": since_ms}
            return post_frame(post_id, since, "info")
    payload = {"action": action, "generation": generation, "value_usd": value_usd}
    return post_frame(post_id, payload)
