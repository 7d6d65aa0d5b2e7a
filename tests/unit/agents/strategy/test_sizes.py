"""The size of one order, and Kelly's sizes of a ladder."""

from decimal import Decimal

import msgspec

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.settings import AdvancedSettings, StrategySettings
from agents.strategy.sizes import clip_size, level_sizes

SOL = Instrument(coin=Coin("SOL"), asset_id=5, sz_decimals=2, leverage_max=20)
D = Decimal
ESTIMATES = Estimates(
    bid_px=199.99,
    ask_px=200.01,
    mid_px=200.0,
    fair_px=200.0,
    sigma_bps=1.0,
    sigma_known=True,
    fills_per_s=0.1,
    kappa_per_bps=0.3,
    mark_px=None,
    ready=True,
)
DISTANCES = [4.0, 6.0, 9.0, 13.5, 20.0]


def test_a_clip_is_as_told_and_viable_at_least() -> None:
    for usd, sz in ((500.0, "2.5"), (10.0, "0.06")):
        found = clip_size(
            settings=StrategySettings(clip_usd=usd),
            instrument=SOL,
            position_max_usd=5_000.0,
            reference_px=200.0,
        )
        assert found == D(sz)


def _sizes(room: str = "12.5", **advanced: float) -> tuple[Decimal, ...]:
    inner = msgspec.structs.replace(AdvancedSettings(), **advanced)
    return level_sizes(
        DISTANCES,
        strategy=StrategySettings(allocation="kelly", advanced=inner),
        instrument=SOL,
        estimates=ESTIMATES,
        clip_sz=D("2.5"),
        room_sz=D(room),
    )


def test_levels_share_the_room_by_their_worth() -> None:
    sizes = _sizes()
    assert 0 < sum(sizes) <= D("12.5")
    assert max(sizes) <= 5
    assert sum(_sizes(room="1.0")) <= 1


def test_wealth_and_fraction_matter() -> None:
    assert sum(_sizes(kelly_share=0.02)) < sum(_sizes(kelly_share=0.2))
    assert sum(_sizes(wealth_usd=100.0)) < sum(_sizes(wealth_usd=2_000.0))
