"""What must be well before a halt is lifted: link, position, margin, key, clock.

A halt says that something was wrong; who lifts it should not have to guess whether it still is.
"""

from typing import Final

from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import State

VIEW_MAX_MS: Final = 15_000
CLOCK_MAX_MS: Final = 2_000.0


def standing(state: State, now_ms: int, key: str | None) -> tuple[str, ...]:
    """Why not yet, for people; empty: nothing stands against it. ``key``: what is wrong with it."""
    found = [key] if key is not None else []
    if state.link.state != "up":
        return (*found, "no connection to the venue: positions and margin can't be looked at")
    offset_ms = state.clock.offset_ms
    if abs(offset_ms) > CLOCK_MAX_MS:
        found.append(f"the clocks differ: the venue's is {offset_ms / 1_000:+.1f} s from ours")
    for dex in sorted({dex_of(market) for market in state.markets}):
        found += _dex(state, dex, now_ms)
    for market in sorted(state.markets):
        apart = state.drifts.text(market, now_ms)
        if apart is not None:
            found.append(f"{market}: {apart}")
    return tuple(found)


def _dex(state: State, dex: str, now_ms: int) -> list[str]:
    """The account on one DEX: seen lately, and its margin not used up."""
    name, held = dex or "main", state.account.dexes.get(dex)
    if held is None:
        return [f"the account on DEX {name} was never seen"]
    age_ms = state.clock.venue_ms(now_ms) - held.as_of_ms
    if age_ms > VIEW_MAX_MS:
        return [f"the account on DEX {name} was last seen {age_ms / 1_000:.0f} s ago"]
    holds = any(row.sz for row in held.positions.values())
    if holds and held.margin_used >= held.account_value:
        used, worth = held.margin_used, held.account_value
        return [f"margin on DEX {name} is used up: {used:f} of {worth:f}"]
    return []
