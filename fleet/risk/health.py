"""What makes the whole fleet careful beyond its exposure: collateral off its peg, blindness."""

from collections.abc import Mapping
from typing import Final

from agents.market.units import BPS
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.manifests.spec import DexSpec

STALE_MS: Final = 10_000
QUORUM_SHARE: Final = 0.5
QUORUM_MARKETS: Final = 2
DEPEG_MAX_BPS: Final = DexSpec().collateral_depeg_max_bps


def depegged(status: GatewayStatus, dexes: Mapping[str, DexSpec]) -> dict[str, str]:
    """DEXs whose collateral is further from 1 USD than allowed, with the reason."""
    found: dict[str, str] = {}
    for dex in status.dexes:
        if dex.token_mark_usd is None:
            continue
        own = dexes.get(dex.dex)
        most_bps = DEPEG_MAX_BPS if own is None else own.collateral_depeg_max_bps
        off_bps = abs(dex.token_mark_usd - 1.0) * BPS
        if off_bps > most_bps:
            where = dex.dex or "the main DEX"
            found[dex.dex] = f"{dex.token} of {where} {off_bps:.0f} bps off 1 USD"
    return found


def blind(status: GatewayStatus) -> str | None:
    """Why the fleet is to add nothing: more than half of its markets show old data."""
    watched = [view for view in status.markets if view.report is not None]
    stale = [view.market for view in watched if _age_ms(view, status.as_of_ms) > STALE_MS]
    if len(stale) < QUORUM_MARKETS or len(stale) <= QUORUM_SHARE * len(watched):
        return None
    return f"{len(stale)} of {len(watched)} markets show data older than {STALE_MS // 1000} s"


def _age_ms(view: MarketView, now_ms: int) -> int:
    """Of the youngest data that anybody has: the gateway watches the touch, the agent its book."""
    ages = [] if view.data_age_ms is None else [view.data_age_ms]
    report = view.report
    if report is not None and report.data_age_ms is not None and view.report_ms is not None:
        ages.append(report.data_age_ms + max(0, now_ms - view.report_ms))
    return min(ages, default=0)
