"""The fleet's caps at work: each market's worst case counted, an admission judged, room told."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Fill, Side
from fleet.gateway.api import Caps
from fleet.gateway.core import agents
from fleet.gateway.core.limits import Exposure
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import State
from fleet.gateway.core.worst import Kind, Part, part

TOLD_STEP_SHARE: Final = 0.05
"""A smaller change of the limit that an agent is told is not worth a frame."""
TRIM_SHARE: Final = 0.02
ROOM_SHARE: Final = 0.5
"""Of what a cap leaves, so much is told to each market: all of them ask at once."""


def raises(before: Caps | None, after: Caps) -> str | None:
    """Which cap would rise, or go, without authority; None: none. The first caps raise nothing."""
    if before is None:
        return None
    old, new = _flat(before), _flat(after)
    for name, most_usd in old.items():
        wanted_usd = new.get(name)
        if wanted_usd is None or wanted_usd > most_usd:
            told = "no cap" if wanted_usd is None else f"{wanted_usd:g}"
            return f"{name} would rise from {most_usd:g} to {told}"
    return None


def _flat(caps: Caps) -> dict[str, float]:
    named = {
        "gross": caps.gross_max_usd,
        "net": caps.net_max_usd,
        "underlying_gross": caps.underlying_gross_max_usd,
        **{f"margin on {dex or 'main'}": usd for dex, usd in caps.dex_margin_max_usd.items()},
    }
    return {name: usd for name, usd in named.items() if usd is not None}


def renew(state: State) -> None:
    """All markets' parts anew: marks have moved, orders have gone."""
    parts = ((market, _part(state, market, state.exposure(market))) for market in state.markets)
    state.worst.renew((market, each) for market, each in parts if each is not None)


def count(state: State, market: str) -> None:
    """A placement was let pass: its market's part as it is from here on."""
    now = _part(state, market, state.exposure(market))
    if now is not None:
        state.worst.put(market, now)


def judge(state: State, market: str) -> Callable[[Mapping[Side, Decimal]], str | None]:
    """What the door asks: which cap would break if so much were added on each side."""

    def capped(added: Mapping[Side, Decimal]) -> str | None:
        if state.caps is None:
            return None
        held = state.exposure(market)
        count(state, market)  # what was cancelled since is room of the past, not of this placement
        wanted = msgspec.structs.replace(
            held,
            open_bid_sz=held.open_bid_sz + added.get(Side.BID, Decimal(0)),
            open_ask_sz=held.open_ask_sz + added.get(Side.ASK, Decimal(0)),
        )
        now = _part(state, market, wanted)
        if now is None:
            return None  # without a mark the door lets nothing pass anyway
        return state.worst.refusal(market, now, added.keys(), state.caps)

    return capped


def room(state: State) -> dict[str, float]:
    """The position limit to tell each market: its own, or what the caps leave beside the others.

    Near a cap a market is told what it has and half of what is left, so that its agent wants no
    more than the door would give; far from all caps that is more than its own limit.
    """
    caps, use = state.caps, state.worst.use()
    own = {market: agents.limit_usd(state, market) for market in state.markets}
    if caps is None:
        return own
    found: dict[str, float] = {}
    for market, limit_usd in own.items():
        held = _part(state, market, state.exposure(market))
        if held is None:
            found[market] = limit_usd
            continue
        kind = held.kind
        margin_usd = use.dex_margins_usd.get(kind.dex, 0.0)
        lefts = (
            _left(caps.gross_max_usd, use.gross_usd),
            _left(caps.net_max_usd, use.net_usd),
            _left(caps.underlying_gross_max_usd, use.underlyings_usd.get(kind.underlying, 0.0)),
            _left(caps.dex_margin_max_usd.get(kind.dex), margin_usd, kind.leverage),
        )
        most_usd = held.worst_usd + ROOM_SHARE * max(min(lefts), 0.0)
        found[market] = min(limit_usd, most_usd)
    return found


def traded(state: State, fill: Fill) -> None:
    """A fill of ours counts towards the pace of its market."""
    if fill.coin in state.markets and state.ours(fill.cloid) is not None:
        instrument = state.instrument(fill.coin)
        token_usd = (state.token_mark_usd(instrument.token) if instrument else None) or 1.0
        state.pace(fill.coin).traded(float(fill.px * fill.sz) * token_usd, fill.time_ms)


def beyond(state: State) -> list[tuple[str, Side]]:
    """Sides whose orders are to go so that no cap is broken by more than ``TRIM_SHARE``.

    Those that add most go first. What is held already stays: the risk actor judges that.
    """
    caps, use = state.caps, state.worst.use()
    if caps is None:
        return []
    parts = {m: p for m in state.markets if (p := _part(state, m, state.exposure(m))) is not None}
    adds = {market: _adds(state, market, each) for market, each in parts.items()}
    every = list(parts)
    broken = [
        (_over(caps.gross_max_usd, use.gross_usd), every),
        (_over(caps.net_max_usd, use.net_usd), every),
        *(
            (
                _over(caps.underlying_gross_max_usd, usd),
                [m for m in every if parts[m].kind.underlying == name],
            )
            for name, usd in use.underlyings_usd.items()
        ),
        *(
            (
                _over(caps.dex_margin_max_usd.get(dex), usd),
                [m for m in every if parts[m].kind.dex == dex],
            )
            for dex, usd in use.dex_margins_usd.items()
        ),
    ]
    found: list[tuple[str, Side]] = []
    for excess_usd, mine in broken:
        left_usd = excess_usd
        for market in sorted(mine, key=lambda market: -adds[market][0]):
            usd, side = adds[market]
            if left_usd <= 0 or usd <= 0:
                break
            found.append((market, side))
            left_usd -= usd
    return found


def _over(cap_usd: float | None, used_usd: float) -> float:
    """By how much a cap is broken, USD; 0 within the slack."""
    if cap_usd is None or used_usd <= cap_usd * (1 + TRIM_SHARE):
        return 0.0
    return used_usd - cap_usd


def _adds(state: State, market: str, held: Part) -> tuple[float, Side]:
    """What the worse side of a market adds to what it holds, USD."""
    exposure = state.exposure(market)
    side = Side.BID if abs(held.up_usd) >= abs(held.down_usd) else Side.ASK
    spread_usd = held.up_usd - held.down_usd
    open_sz = exposure.open_bid_sz + exposure.open_ask_sz
    mine = exposure.open_bid_sz if side is Side.BID else exposure.open_ask_sz
    return (spread_usd * float(mine / open_sz) if open_sz else 0.0), side


def _left(cap_usd: float | None, used_usd: float, leverage: int = 1) -> float:
    return float("inf") if cap_usd is None else (cap_usd - used_usd) * leverage


def _part(state: State, market: str, exposure: Exposure) -> Part | None:
    """None where nothing says what a coin is worth."""
    row, instrument = state.markets.get(market), state.instrument(market)
    if row is None or instrument is None:
        return None
    mark_usd = state.mark_usd(market)
    if mark_usd is None:
        entry_px = state.account.position(market).entry_px
        if entry_px is None:
            return None
        mark_usd = float(entry_px) * (state.token_mark_usd(instrument.token) or 1.0)
    settings = row.settings
    kind = Kind(
        underlying=settings.underlying or market.rpartition(":")[2],
        dex=dex_of(market),
        leverage=settings.leverage,
        nets=settings.nets,
    )
    return part(kind, exposure, mark_usd)
