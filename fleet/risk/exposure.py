"""What the markets hold together: gross, net, per underlying, and equity, in USD at token marks."""

from collections.abc import Iterable
from typing import Final

import msgspec

from fleet.gateway.api import GatewayStatus, MarketView

NETTED_SHARE: Final = 0.8
"""Of a long and a short that both say ``nets``, this much of the matched part is not counted."""


class Exposure(msgspec.Struct, frozen=True):
    """USD. ``unknown``: markets with a position whose mark or token is not known; not counted."""

    gross_usd: float
    net_usd: float
    underlyings_usd: dict[str, float]
    unknown: tuple[str, ...] = ()


def underlying_of(view: MarketView) -> str:
    """What the market follows: as the manifest says, else its ticker."""
    return view.settings.underlying or view.market.rpartition(":")[2]


def exposure(status: GatewayStatus) -> Exposure:
    """Sum up the positions of one moment."""
    held = held_usd(status)
    counted = {view.market for view, _ in held}
    unknown = [v.market for v in status.markets if v.position_sz and v.market not in counted]
    names = sorted({underlying_of(view) for view, _ in held})
    return Exposure(
        gross_usd=sum(abs(usd) for _, usd in held),
        net_usd=sum(usd for _, usd in held),
        underlyings_usd={
            name: _underlying_usd((v.settings.nets, u) for v, u in held if underlying_of(v) == name)
            for name in names
        },
        unknown=tuple(unknown),
    )


def held_usd(status: GatewayStatus) -> list[tuple[MarketView, float]]:
    """Signed positions in USD, of markets whose mark and token are known."""
    marks = {dex.dex: dex.token_mark_usd for dex in status.dexes}
    held: list[tuple[MarketView, float]] = []
    for view in status.markets:
        token_usd = marks.get(view.market.rpartition(":")[0])
        if view.position_sz and view.mark_px is not None and token_usd is not None:
            held.append((view, float(view.position_sz) * view.mark_px * token_usd))
    return held


def _underlying_usd(positions: Iterable[tuple[bool, float]]) -> float:
    """Gross of one underlying, less what nets: only between markets that both say so."""
    gross_usd = long_usd = short_usd = 0.0
    for nets, usd in positions:
        gross_usd += abs(usd)
        if nets and usd > 0:
            long_usd += usd
        elif nets:
            short_usd -= usd
    return gross_usd - 2 * NETTED_SHARE * min(long_usd, short_usd)


def equity_usd(status: GatewayStatus) -> float | None:
    """All DEXs' account values at their tokens' marks; None while one of them is not known.

    The frames of two DEXs may be seconds apart: collateral on its way between them counts in
    neither, or in both.
    """
    total_usd = 0.0
    for dex in status.dexes:
        if dex.token_mark_usd is None:
            if dex.account_value:
                return None
            continue
        total_usd += float(dex.account_value) * dex.token_mark_usd
    return total_usd if status.dexes else None


def view_age_ms(status: GatewayStatus, now_ms: int) -> int | None:
    """Age of the oldest account frame among the DEXs we make markets on; None without one."""
    used = {view.market.rpartition(":")[0] for view in status.markets}
    frames = [dex.as_of_ms for dex in status.dexes if dex.dex in used]
    if len(frames) < len(used) or not frames:
        return None
    return round(now_ms + status.venue_offset_ms) - min(frames)
