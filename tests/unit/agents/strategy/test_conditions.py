"""From the estimates to what the strategy asks of the moment; what is not known is calm."""

import msgspec

from agents.estimators.cascade import Cascade
from agents.estimators.estimates import Beliefs, Estimates, SideMarkouts
from agents.estimators.intensity import Intensity
from agents.estimators.markout import Markout
from agents.estimators.regime import Regime
from agents.market.types import Side
from agents.settings import StrategySettings
from agents.strategy.aversion import aversion
from agents.strategy.conditions import CALM, Conditions, conditions_of, hour_utc
from fleet.manifests.schema_strategy import Strategy

FLOW = Intensity(fills_per_s=0.1, kappa_per_bps=1.0)
PLAIN = Estimates(
    bid_px=99.0,
    ask_px=101.0,
    mid_px=100.0,
    fair_px=100.0,
    sigma_bps=1.0,
    sigma_known=True,
    fills_per_s=0.1,
    kappa_per_bps=1.0,
    mark_px=None,
    ready=True,
)
NOON_MS = 12 * 3_600_000


def _of(beliefs: Beliefs | None, **changed: float) -> Conditions:
    estimates = msgspec.structs.replace(PLAIN, beliefs=beliefs, **changed)
    return conditions_of(estimates, now_ms=NOON_MS, holding_s=3_600.0)


def test_the_hour_is_utc() -> None:
    assert hour_utc(0) == 0
    assert hour_utc(NOON_MS + 86_400_000 * 3) == 12


def test_nothing_known_is_calm() -> None:
    assert _of(None) == Conditions(hour=12)
    assert _of(Beliefs(bid=FLOW, ask=FLOW)) == Conditions(hour=12)


def test_a_loss_of_makers_is_adverse_on_their_side() -> None:
    lost = SideMarkouts(s1=None, s10=Markout(mean_bps=-1.5, se_bps=0.2, weight=50.0), s60=None)
    found = _of(Beliefs(bid=FLOW, ask=FLOW, public_bid=lost))
    assert (found.adverse_bid_bps, found.adverse_ask_bps) == (1.5, 0.0)
    assert found.adverse_se_bps == 0.2


def test_the_worst_threat_counts_and_tells_where_prices_run() -> None:
    """Bids run over: prices run down."""
    falling = Cascade(severity_share=0.6, side=Side.BID)
    found = _of(Beliefs(bid=FLOW, ask=FLOW, cascade=falling, regime=Regime.EXTREME))
    assert (found.threat, found.threat_share) == (-1, 0.6)
    assert found.regime == "extreme"


def test_a_thin_book_and_a_warm_up_half_done_are_told() -> None:
    found = _of(Beliefs(bid=FLOW, ask=FLOW, depth_ratio=0.25), warm_share=0.5)
    assert (found.depth_ratio, found.warm_share) == (0.25, 0.5)


def test_what_ships_off_weighs_nothing_until_the_operator_says_so() -> None:
    """The table in docs/estimators.md; the manifest's schema has the same defaults."""
    for settings in (StrategySettings(), Strategy()):
        advanced = settings.advanced
        weights = {
            name: getattr(advanced, name) for name in dir(advanced) if name.startswith("aversion_")
        }
        weights |= {"drift": settings.drift_weight, "tight": settings.tight_share}
        weights |= {"momentum and cascade": advanced.momentum_max_bps}
        weights |= {"high": advanced.regime_high_bps, "extreme": advanced.regime_extreme_bps}
        weights |= {"jumps": advanced.jump_weight_bps}
        assert len(weights) == 9 + 6
        assert set(weights.values()) == {0.0}, weights
    storm = Conditions(
        regime="extreme", toxicity_share=0.9, threat=1, threat_share=1.0, volatility_ratio=5.0,
        jump_ratio=9.0, excitement_ratio=8.0, depth_ratio=0.1, season_ratio=2.0, warm_share=0.1,
        hour=7,
    )  # fmt: skip
    advanced_off = StrategySettings().advanced
    calm, told = (
        aversion(0.3, conditions=each, inventory_share=0.2, advanced=advanced_off)
        for each in (CALM, storm)
    )
    assert told.rho == calm.rho


def test_what_a_long_pays_is_a_drift_downwards() -> None:
    found = _of(Beliefs(bid=FLOW, ask=FLOW, funding_per_h=1e-4))
    assert found.funding_bps == -1.0
