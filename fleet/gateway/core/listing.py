"""What the venue lists, looked at again: what changed is told, and may pause a market.

A market whose size grid, margin table, margin mode or name no longer is what its agent was leased,
or that is delisted, is fenced until a person opens it: orders made for other terms must not go on.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from agents.exchange.registry import Registry
from agents.exchange.wire_market import PerpDexLimits
from fleet.gateway.core import agents
from fleet.gateway.core.effects import Alert, Effect, KeepMarket
from fleet.gateway.core.state import State

CAUSE: Final = "terms"
HALTED: Final = "halted"
_BOUNDS: Final = {
    "the cap on all open interest": "total_oi_cap",
    "the cap on a market's size": "oi_sz_cap_per_perp",
    "the most that is transferred at once": "max_transfer_ntl",
}


class Change(msgspec.Struct, frozen=True):
    """One market's or DEX's. ``pauses``: its agent can't go on as before."""

    market: str
    text: str
    pauses: bool


def refreshed(state: State, new: Registry, now_ms: int) -> list[Effect]:
    """Take what is listed now; a market that it changes for the worse is fenced, a person told."""
    old, state.registry = state.registry, new
    if old is None:
        return []
    effects: list[Effect] = []
    for change in changes(old, new):
        if change.market and change.market not in state.markets:
            continue
        severity = "critical" if change.pauses else "info"
        mend = f": fenced; fleet unpause {change.market} opens it" if change.pauses else ""
        effects.append(Alert(severity, "listing", change.text + mend, change.market))  # type: ignore[arg-type]
        if change.pauses and state.fence.close(change.market, CAUSE, change.text):
            effects += agents.fence_frames(state, change.market)
            effects += agents.clear_fenced(state, change.market, now_ms)
    return effects


def changes(old: Registry, new: Registry) -> Iterator[Change]:
    """What differs, markets of the old list first, then DEXs that are new."""
    for coin, was in old.instruments.items():
        now = new.instruments.get(coin)
        if now is None:
            yield Change(coin, f"{coin} is listed no more", pauses=True)
            continue
        if now.delisted and not was.delisted:
            yield Change(coin, f"{coin} is delisted", pauses=True)
        for what in ("asset_id", "sz_decimals", "isolated_only", "token"):
            before, after = getattr(was, what), getattr(now, what)
            if before != after:
                yield Change(coin, f"{coin}: {what} was {before}, is {after}", pauses=True)
        if (was.maker_fee_bps, was.taker_fee_bps) != (now.maker_fee_bps, now.taker_fee_bps):
            fees = f"{now.maker_fee_bps:g} and {now.taker_fee_bps:g} bps"
            yield Change(coin, f"{coin}: fees are {fees} now", pauses=False)
        yield from _terms(coin, old, new)
    for dex_name, is_now in new.limits.items():
        yield from _limits(dex_name, old.limits.get(dex_name), is_now)
    known = {dex.name for dex in old.dexes}
    for dex in new.dexes:
        if dex.name not in known:
            yield Change("", f"a new DEX is listed: {dex.name}", pauses=False)


def halted(state: State, market: str, text: str, now_ms: int) -> list[Effect]:
    """The venue takes no order there: its deployer stopped trading, and settles positions."""
    if not state.fence.close(market, HALTED, text):
        return []
    told = f"{market}: {text} fenced; fleet unpause {market} opens it"
    return [
        KeepMarket(market=market),
        Alert("critical", "listing", told, market),
        *agents.fence_frames(state, market),
        *agents.clear_fenced(state, market, now_ms),
    ]


def _limits(dex: str, was: PerpDexLimits | None, now: PerpDexLimits) -> Iterator[Change]:
    """Of a DEX as a whole; what is heard for the first time is no change."""
    for what, name in _BOUNDS.items():
        before, after = getattr(was or now, name), getattr(now, name)
        if before != after:
            text = f"{dex}: {what} was {before:,.0f}, is {after:,.0f}"
            yield Change("", text, pauses=False)


def _terms(coin: str, old: Registry, new: Registry) -> Iterator[Change]:
    was, now = old.terms.get(coin), new.terms.get(coin)
    if was is None or now is None:
        return
    if was.tiers != now.tiers:
        told = ", ".join(f"{leverage}x from {bound:f}" for bound, leverage in now.tiers)
        yield Change(coin, f"{coin}: the margin table is {told} now", pauses=True)
    if was.margin_mode != now.margin_mode:
        yield Change(coin, f"{coin}: the margin mode is {now.margin_mode} now", pauses=True)
    if was.growth != now.growth:
        word = "on" if now.growth else "off"
        yield Change(coin, f"{coin}: growth mode is {word} now", pauses=False)
    if was.oi_cap_usd != now.oi_cap_usd:
        cap = "none" if now.oi_cap_usd is None else f"{now.oi_cap_usd:,.0f} USD"
        yield Change(coin, f"{coin}: the open interest's cap is {cap} now", pauses=False)
