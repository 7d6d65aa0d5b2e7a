"""Settings, views and specs as tests need them, with what they say and nothing else."""

from decimal import Decimal
from typing import Any

import msgspec

from agents.commands import Report
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.settings import MarketSettings, RiskSettings
from fleet.gateway.api import (
    AllowanceView,
    DexView,
    GatewayStatus,
    LatchView,
    LeaseView,
    MarketView,
)
from fleet.manifests.spec import FleetRisk, FleetSpec

NOW_MS = 1_800_000_000_000
ALLOWANCE = AllowanceView(
    left=None, cap=None, reserve=20, mood="unknown", burn_per_h=None, hours_to_empty=None,
    request_usd=0.0, pace_s=0.0, levels_share=1.0, bought_usd=0.0, buy_max_usd=0.0,
)  # fmt: skip


def settings(market: str, **changed: Any) -> MarketSettings:
    base = MarketSettings(
        market=Coin(market),
        margin_usd=1_000.0,
        leverage=3,
        risk=RiskSettings(position_max_usd=3_000.0, daily_loss_max_usd=50.0),
    )
    return msgspec.structs.replace(base, **changed)


def view(market: str, **changed: Any) -> MarketView:
    dex = market.rpartition(":")[0]
    base = MarketView(
        market=market,
        revision=1,
        settings=settings(market),
        instrument=Instrument(Coin(market), asset_id=7, sz_decimals=3, leverage_max=40, dex=dex),
        lease=LeaseView(owner="none"),
        report=None,
        report_ms=None,
        position_sz=Decimal(0),
        entry_px=None,
        position_as_of_ms=NOW_MS,
        mark_px=100.0,
        bid_px=99.9,
        ask_px=100.1,
        venue_ms=NOW_MS,
        data_age_ms=10,
        open_orders=0,
        fenced=False,
        fence_reason="",
        paused=False,
        draining=False,
    )
    return msgspec.structs.replace(base, **changed)


def quoting(market: str, **changed: Any) -> MarketView:
    """A market whose agent holds the lease and quotes."""
    lease = LeaseView(owner="agent", generation=1, pid=4711, deadline_ms=NOW_MS, revision=1)
    return view(market, **{"lease": lease, "report": Report(phase="QUOTING"), **changed})


def dex_view(dex: str = "", **changed: Any) -> DexView:
    base = DexView(
        dex=dex,
        token="USDC",
        token_mark_usd=1.0,
        as_of_ms=NOW_MS,
        account_value=Decimal(10_000),
        raw_usd=Decimal(10_000),
        margin_used=Decimal(0),
    )
    return msgspec.structs.replace(base, **changed)


def status(*markets: MarketView, **changed: Any) -> GatewayStatus:
    base = GatewayStatus(
        fleet="paper",
        network="paper",
        url="http://127.0.0.1:1",
        address="0x" + "ab" * 20,
        instance="a1b2c3",
        build="0",
        as_of_ms=NOW_MS,
        link="up",
        link_since_ms=0,
        venue_offset_ms=0.0,
        halt=None,
        dexes=(dex_view(),),
        markets=markets,
        foreign_orders=0,
        unresolved=0,
        risk=None,
        ip_weight_used_share=0.0,
        allowance=ALLOWANCE,
        log_seq=0,
        refusals={},
    )
    return msgspec.structs.replace(base, **changed)


LATCH = LatchView(reason="test", by="test", at_ms=NOW_MS)


def fleet_risk(**changed: Any) -> FleetRisk:
    base = FleetRisk(
        gross_notional_max_usd=10_000.0,
        net_notional_max_usd=5_000.0,
        underlying_gross_max_usd=4_000.0,
        daily_loss_max_usd=500.0,
        drawdown_max_share=0.1,
    )
    return msgspec.structs.replace(base, **changed)


def spec(*markets: str, **changed: Any) -> FleetSpec:
    base = FleetSpec(
        fleet="paper",
        network="paper",
        risk=fleet_risk(),
        markets={market: settings(market) for market in markets},
    )
    return msgspec.structs.replace(base, **changed)
