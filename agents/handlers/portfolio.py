"""What the account holds in other markets: quotes follow within the event that tells of it."""

from agents.events import GammaRowReceived, HoldingsSeen
from agents.handlers.quoting import SKIP_SHARE, cross_of, decide
from agents.handlers.room import rooms
from agents.portfolio import NOTHING
from agents.state import EngineState


def on_row(state: EngineState, event: GammaRowReceived, now_ns: int) -> None:
    """A newer row takes the place of the last; an empty one ends it."""
    held = state.gamma_row
    if held is not None and event.row.as_of_ms < held.as_of_ms:
        return
    state.gamma_row = event.row if event.row.bps_per_usd else None
    _follow(state, now_ns)


def on_holdings(state: EngineState, event: HoldingsSeen, now_ns: int) -> None:
    held = state.holdings
    if held is not None and event.holdings.as_of_ms < held.as_of_ms:
        return
    state.holdings = event.holdings
    _follow(state, now_ns)


def _follow(state: EngineState, now_ns: int) -> None:
    """Decide again if that moves the quotes by more than a move of the price that would not matter.

    Where nothing is priced, or nothing may be sent, the next decision takes it in.
    """
    pricing = state.pricing
    estimates = None if pricing is None else state.panel.estimates(now_ns)
    if pricing is None or estimates is None or not state.link_up:
        return
    row = state.gamma_row
    now = NOTHING
    if row is not None and row.in_force:
        now = cross_of(state, estimates, rooms(state, estimates, now_ns), now_ns) or NOTHING
    before = (pricing.cross if pricing.crossed else None) or NOTHING
    quoting = pricing.quoting
    clips = abs(now.clips - before.clips)
    clips += abs(now.own_share - before.own_share) * (abs(quoting.inventory_clips) + 0.5)
    moved_bps = clips * quoting.skew_bps / before.own_share
    share = SKIP_SHARE * state.settings.strategy.requote_tolerance_share
    if moved_bps > share * quoting.half_spread.total_bps:
        decide(state, now_ns)
