"""Going back: the old settings, the lesser of every limit, and the place as it is now."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.settings import OrphanSettings, RiskSettings, StrategySettings
from fleet.manifests.spec import DexSpec, FleetSpec, PaperSpec, RequestsSpec
from fleet.supervisor.plan import plan
from fleet.supervisor.rollback import restored
from tests.unit.fleet.supervisor.test_plan import row
from tests.unit.fleet.views import fleet_risk, settings, spec


def one(
    margin_usd: float = 1_000.0,
    leverage: int = 3,
    position_usd: float = 3_000.0,
    **more: object,
) -> FleetSpec:
    risk = RiskSettings(position_max_usd=position_usd, daily_loss_max_usd=margin_usd / 20)
    market = settings("BTC", margin_usd=margin_usd, leverage=leverage, risk=risk, **more)
    return spec(markets={"BTC": market})


def test_settings_go_back_and_limits_do_not_rise() -> None:
    old = one(5_000.0, 5, 25_000.0, strategy=StrategySettings(levels=7, clip_usd=5_000))
    now = one(1_000.0, 3, 2_000.0, on_orphan=OrphanSettings(collar_bps=10))
    btc = restored(old, now).markets["BTC"]
    assert btc.strategy.levels == 7
    assert (btc.margin_usd, btc.leverage) == (1_000.0, 3)
    assert (btc.risk.position_max_usd, btc.risk.daily_loss_max_usd) == (2_000.0, 50.0)
    assert btc.on_orphan.collar_bps == 10
    assert btc.strategy.clip_usd == 2_000.0, "a clip is no larger than what may be held"


def test_a_position_never_exceeds_its_margin() -> None:
    btc = restored(one(10_000.0, 1, 10_000.0), one(2_000.0, 5, 10_000.0)).markets["BTC"]
    assert (btc.margin_usd, btc.leverage, btc.risk.position_max_usd) == (2_000.0, 1, 2_000.0)


def test_markets_are_those_of_the_old_revision() -> None:
    assert set(restored(spec("BTC", "ETH"), spec("BTC", "SOL")).markets) == {"BTC", "ETH"}


def test_the_fleets_limits() -> None:
    old = spec(
        "hyna:BTC",
        risk=fleet_risk(daily_loss_max_usd=900.0, correlated_risk_max_usd=None),
        requests=RequestsSpec(buy_max_usd_per_day=5.0),
        dexes={"hyna": DexSpec(margin_max_usd=None)},
        paper=PaperSpec(seed=1),
    )
    now = spec(
        "hyna:BTC",
        risk=fleet_risk(daily_loss_max_usd=500.0, correlated_risk_max_usd=100.0),
        dexes={"hyna": DexSpec(margin_max_usd=2_000.0), "xyz": DexSpec()},
        paper=PaperSpec(seed=2),
    )
    back = restored(old, now)
    assert (back.risk.daily_loss_max_usd, back.risk.correlated_risk_max_usd) == (500.0, 100.0)
    assert back.requests.buy_max_usd_per_day == 0.0
    assert back.dexes == {"hyna": DexSpec(margin_max_usd=2_000.0)}, "of DEXs that are used"
    assert back.paper == PaperSpec(seed=2), "the venue is not rolled back"


amounts = st.floats(100, 1e6)


@given(amounts, amounts, st.integers(1, 40), st.integers(1, 40), st.data())
def test_no_rollback_raises_risk(
    m1: float, m2: float, l1: int, l2: int, data: st.DataObject
) -> None:
    old = one(m1, l1, data.draw(st.floats(20, m1 * l1)))
    now = one(m2, l2, data.draw(st.floats(20, m2 * l2)))
    steps = plan(now, {"BTC": row("BTC")}, restored(old, now), {})
    assert not any(step.raises_risk for step in steps)


def test_back_to_the_same_is_nothing() -> None:
    assert restored(one(), one()) == one()


def test_another_fleets_revision_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError):
        restored(msgspec.structs.replace(one(), fleet="other"), one())
