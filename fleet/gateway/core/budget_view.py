"""Allowance and dead-man switch as the gateway's status shows them."""

from fleet.gateway.api import AllowanceView, DeadManView
from fleet.gateway.core.allowance import reserve
from fleet.gateway.core.state import State


def allowance(state: State, now_ms: int) -> AllowanceView:
    """What is left, how it burns, and what agents are told."""
    held, open_orders = state.allowance, len(state.orders.by_cloid)
    return AllowanceView(
        left=held.left,
        cap=held.cap,
        reserve=reserve(open_orders),
        mood=held.mood(open_orders),
        burn_per_h=held.burn_per_h(now_ms),
        hours_to_empty=held.hours_to_empty(now_ms),
        request_usd=state.terms.request_usd,
        pace_s=state.terms.pace_s,
        levels_share=state.terms.levels_share,
        bought_usd=state.purse.spent_usd(now_ms),
        buy_max_usd=state.purse.kept.buy_max_usd_per_day,
    )


def dead_man(state: State, now_ms: int) -> DeadManView:
    """As the venue last confirmed it."""
    view = state.deadman.view(state.clock.venue_ms(now_ms))
    return DeadManView(state=view.state, reason=view.reason, until_ms=view.until_ms)
