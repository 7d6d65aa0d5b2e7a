"""What a look at a fleet finds, for tests of what is shown of it."""

from decimal import Decimal
from typing import Any

import msgspec

from agents.commands import Report
from agents.market.types import Coin
from agents.settings import MarketSettings, RiskSettings
from fleet.cli.find import Identity
from fleet.cli.observe import Observed, Store, StoreRow
from fleet.gateway.api import (
    DeadManView,
    DexView,
    GatewayStatus,
    LeaseView,
    MarketView,
    RiskView,
)
from fleet.ledger.query import MarketPnl
from tests.unit.fleet.views import ALLOWANCE

NOW_MS = 1_700_000_000_000
ZERO = Decimal(0)


def make_view(**changes: Any) -> MarketView:
    market = Coin("hyna:BTC")
    risk = RiskSettings(position_max_usd=100.0, daily_loss_max_usd=5.0)
    report = Report(
        phase="QUOTING",
        bid_px=Decimal("99.5"),
        ask_px=Decimal("100.5"),
        half_spread_bps=5.0,
        quoting_due_s=200.0,
        quoting_up_s=150.0,
    )
    view = MarketView(
        market=market,
        revision=3,
        settings=MarketSettings(market=market, margin_usd=100.0, leverage=1, risk=risk),
        instrument=None,
        lease=LeaseView(owner="agent", generation=2, pid=77, revision=3),
        report=report,
        report_ms=NOW_MS - 400,
        position_sz=Decimal("0.3"),
        entry_px=Decimal(90),
        position_as_of_ms=NOW_MS - 900,
        mark_px=100.0,
        bid_px=99.9,
        ask_px=100.1,
        venue_ms=NOW_MS,
        data_age_ms=120,
        open_orders=10,
        fenced=False,
        fence_reason="",
        paused=False,
        draining=False,
    )
    return msgspec.structs.replace(view, **changes)


def make_gateway(*views: MarketView, **changes: Any) -> GatewayStatus:
    gateway = GatewayStatus(
        fleet="t",
        network="paper",
        url="http://127.0.0.1:1",
        address="0x" + "ab" * 20,
        instance="abcdef",
        build="1",
        as_of_ms=NOW_MS,
        link="up",
        link_since_ms=NOW_MS,
        venue_offset_ms=0.0,
        halt=None,
        dexes=(
            DexView("", "USDC", 1.0, NOW_MS - 100, Decimal(1000), Decimal(1000), Decimal(10)),
            DexView("hyna", "USDE", 0.5, NOW_MS - 200, Decimal(100), Decimal(100), ZERO),
        ),
        markets=views,
        foreign_orders=0,
        unresolved=0,
        risk=RiskView(seq=9, as_of_ms=NOW_MS, age_ms=300, state="normal", reason=""),
        ip_weight_used_share=0.1,
        allowance=msgspec.structs.replace(
            ALLOWANCE, left=9_000, cap=10_000, burn_per_h=450.0, hours_to_empty=20.0
        ),
        dead_man=DeadManView("ineligible", "volume"),
        strain=("congested",),
        log_seq=5,
        refusals={},
    )
    return msgspec.structs.replace(gateway, **changes)


def make_pnl(**changes: Any) -> MarketPnl:
    pnl = MarketPnl(
        since_ms=5, position_sz=Decimal("0.3"), cost_usd=Decimal(27), entry_px=Decimal(90),
        realized_usd=Decimal("1.00000049"), fees_usd=Decimal("-0.25"), funding_usd=Decimal("0.5"),
        fills=4, taker_fills=0, foreign_fills=0, volume_usd=Decimal(300), inherited_sz=ZERO,
        gaps=0, last_fill_ms=NOW_MS, day_ms=0, day_realized_usd=Decimal(1), day_fees_usd=ZERO,
        day_funding_usd=ZERO, day_fills=4, day_taker_fills=0, day_volume_usd=Decimal(300),
        day_open_position_sz=ZERO, day_open_cost_usd=ZERO, day_open_mark_px=None,
    )  # fmt: skip
    return msgspec.structs.replace(pnl, **changes)


def make_seen(gateway: GatewayStatus | None, **changes: Any) -> Observed:
    row = StoreRow(
        desired=True, phase="QUOTING", reason=None, restarts=1, since_ms=NOW_MS, revision=3
    )
    seen = Observed(
        fleet="t",
        identity=Identity("fleet/1", "t", "paper", "0x" + "ab" * 20, "abcdef", 1),
        now_ms=NOW_MS,
        gateway=gateway,
        supervisor_down=None,
        ledger_up=True,
        ledger_since_ms=5,
        pnl={"hyna:BTC": make_pnl()},
        store=Store(revision=3, markets={"hyna:BTC": row}),
        latch=gateway.halt if gateway else None,
        flow="lively",
        baseline=None,
        warnings=(),
    )
    return msgspec.structs.replace(seen, **changes)


def stored(phase: str, reason: str | None = None) -> Store:
    row = StoreRow(desired=True, phase=phase, reason=reason, restarts=3, since_ms=1, revision=3)
    return Store(revision=3, markets={"hyna:BTC": row})
