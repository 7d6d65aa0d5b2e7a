"""The one market of the engine's world: its listing, settings and lease."""

from decimal import Decimal

import msgspec

from agents.exchange.downstream import DirectiveFrame, LeaseFrame, LimitsFrame, OpenState
from agents.market.types import Coin
from agents.settings import MarketSettings, RiskSettings, StrategySettings
from agents.sim.universe import AssetSpec, DexSpec, Universe

COIN = Coin("SOL")
USER = "0x" + "ab" * 20
MARKET_PREFIX = "f1ee7" + "0" * 7 + "01"  # prefix, instance, market
START_MS = 1_750_000_000_000
LIMIT_USD = 2_000.0

SETTINGS = MarketSettings(
    market=COIN,
    margin_usd=1_000.0,
    leverage=2,
    risk=RiskSettings(position_max_usd=LIMIT_USD, daily_loss_max_usd=200.0),
    strategy=StrategySettings(
        half_spread_floor_bps=0.8,
        edge_min_bps=0.1,
        latency_s=0.05,
        kappa_prior_per_bps=1.5,
        fills_per_s_prior=0.5,
        side_budget_share=1.0,
        levels=4,
        warmup_s=5.0,
    ),
)


def lease(now_ms: int, *, state: OpenState | None = None) -> LeaseFrame:
    """A lease for the one market of this world, generation 7."""
    universe = one_coin()
    return LeaseFrame(
        generation=7,
        deadline_ms=now_ms + 5_000,
        lease_ms=5_000,
        renew_ms=500,
        revision=1,
        settings=SETTINGS,
        limits=LimitsFrame(position_max_usd=LIMIT_USD),
        # Nearly no fee, so that quotes stand close and fill often.
        instrument=msgspec.structs.replace(universe.instrument(COIN), maker_fee_bps=0.1),
        cloid_prefix=MARKET_PREFIX + "000007",
        state=state or OpenState(as_of_ms=now_ms, position_sz=Decimal(0), entry_px=None),
        pnl_day_usd=0.0,
        directive=DirectiveFrame(seq=1, as_of_ms=now_ms, mode="normal"),
        replaces=True,
    )


def one_coin() -> Universe:
    asset = AssetSpec(name=COIN, sz_decimals=2, leverage_max=20, start_px=Decimal(119))
    return Universe([DexSpec(name="", full_name="", token="USDC", assets=(asset,))])
