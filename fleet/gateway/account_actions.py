"""``POST /v1/actions``: leverage, margin and transfers, each key once."""

import asyncio
from typing import Final

import msgspec

from agents.exchange.wire import (
    Action,
    AgentSendAssetAction,
    NoopAction,
    ReserveRequestWeightAction,
    ScheduleCancelAction,
    TopUpIsolatedOnlyMarginAction,
    UpdateIsolatedMarginAction,
    UpdateLeverageAction,
)
from fleet.gateway.api import ActionPost, ApiError
from fleet.gateway.core import requests
from fleet.gateway.core.control import Wrong
from fleet.gateway.service import Gateway

ANSWER_S: Final = 10.0
KEYS_MAX: Final = 1_000
_ALLOWED: Final = (
    UpdateLeverageAction, UpdateIsolatedMarginAction, TopUpIsolatedOnlyMarginAction,
    AgentSendAssetAction, ReserveRequestWeightAction, ScheduleCancelAction, NoopAction,
)  # fmt: skip
_WHEN_HALTED: Final = (
    UpdateIsolatedMarginAction, TopUpIsolatedOnlyMarginAction, ScheduleCancelAction, NoopAction,
)  # fmt: skip


async def carry_out(gateway: Gateway, post: ActionPost) -> bytes:
    """The venue's answer; the same one again for a key that was used before.

    ``Wrong`` for an action that is not the account's, that the latch forbids, or whose answer
    is lost (it may have happened: the key then stays used).
    """
    answers = gateway.account_answers
    if post.key not in answers:
        action = _permitted(gateway, post)
        submit = requests.account_action(gateway.state, action, gateway.now_ms(), post.expires_ms)
        answers[post.key] = asyncio.get_running_loop().create_future()
        gateway.account_requests[submit.request] = post.key
        if len(answers) > KEYS_MAX:
            del answers[next(iter(answers))]
        gateway.run([submit])
    try:
        return await asyncio.wait_for(asyncio.shield(answers[post.key]), ANSWER_S)
    except TimeoutError:
        text = "no answer of the venue: it may have happened; look before trying again"
        raise Wrong(ApiError("outcome_unknown", 7, text), 504) from None


def _permitted(gateway: Gateway, post: ActionPost) -> Action:
    try:
        action = msgspec.convert(post.action, type=Action)
    except msgspec.ValidationError as error:
        raise Wrong(ApiError("bad_request", 3, f"no action that is known: {error}"), 400) from None
    if not isinstance(action, _ALLOWED):
        text = "orders and cancels belong to agents"
        raise Wrong(ApiError("bad_request", 3, text), 400)
    if gateway.state.fence.latch is not None and not isinstance(action, _WHEN_HALTED):
        text = f"halted: {gateway.state.fence.latch.reason}"
        raise Wrong(ApiError("halted", 5, text, "fleet resume --reason …"))
    return action
