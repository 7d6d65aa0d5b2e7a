"""What a plan says of markets before any money is at risk, by numbers worked out by hand."""

import math

import pytest

from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.settings import StrategySettings
from fleet.manifests.spec import FleetSpec
from fleet.manifests.viability import Beliefs, DexFacts, Facts, MarketFacts, viability
from tests.unit.fleet.views import settings, spec

BTC = Instrument(Coin("BTC"), asset_id=0, sz_decimals=5, leverage_max=40, maker_fee_bps=1.5)
QUOTE = StrategySettings(
    half_spread_floor_bps=4.0, kappa_prior_per_bps=0.5, fills_per_s_prior=0.1, levels=5,
    clip_usd=100, requote_tolerance_share=0.25, quoted_max_bps=0,
)  # fmt: skip


def fleet() -> FleetSpec:
    return spec(markets={"BTC": settings("BTC", strategy=QUOTE)})


def known(**more: object) -> Facts:
    return Facts("test", {"BTC": MarketFacts(BTC, **{"mark_px": 80_000.0, **more})})  # type: ignore[arg-type]


def test_fills_and_edge_by_the_priors() -> None:
    (market,) = viability(fleet(), known()).markets
    assert market.half_spread_bps == 4.0
    assert market.edge_bps == 2.5
    assert market.fills_day == pytest.approx(2 * 0.1 * math.exp(-2) * 86_400)
    assert not market.learnt
    assert market.warnings == ()


def test_requests_by_the_mean_exit_time() -> None:
    facts = known(beliefs=Beliefs(sigma_bps=0.5))
    (market,) = viability(fleet(), facts).markets
    exit_s = (0.25 * market.half_spread_bps / 0.5) ** 2
    expected = market.fills_day + 10 * 86_400 / exit_s
    assert market.requests_day == pytest.approx(expected)


def test_hours_to_an_empty_allowance() -> None:
    facts = known(beliefs=Beliefs(sigma_bps=5.0))
    left = Facts(facts.source, facts.markets, requests_left=10_000)
    told = viability(fleet(), left)
    assert told.requests_day is not None
    assert told.requests_earned_day is not None
    burn_h = (told.requests_day - told.requests_earned_day) / 24
    assert told.hours_to_empty == pytest.approx(10_000 / burn_h)


def test_an_allowance_that_grows_is_never_empty() -> None:
    facts = known(beliefs=Beliefs(sigma_bps=0.1))
    told = viability(fleet(), Facts(facts.source, facts.markets, requests_left=10_000))
    assert told.requests_day < told.requests_earned_day  # type: ignore[operator]
    assert told.hours_to_empty is None


def test_what_is_not_known_is_named_and_not_made_up() -> None:
    told = viability(fleet(), Facts("nobody"))
    (market,) = told.markets
    assert (market.fee_bps, market.edge_bps, market.requests_day) == (None, None, None)
    assert market.unknown == (
        "fee", "volatility", "price", "the market's spread", "open interest",
    )  # fmt: skip
    assert (told.requests_day, told.hours_to_empty) == (None, None)
    assert told.dexes[0].missing is None


def test_what_the_agent_has_learnt_goes_before_the_priors() -> None:
    learnt = Beliefs(sigma_bps=1.0, kappa_per_bps=1.0, fills_per_s=0.2, half_spread_bps=3.0)
    (market,) = viability(fleet(), known(beliefs=learnt)).markets
    assert (market.half_spread_bps, market.learnt) == (3.0, True)
    assert market.fills_day == pytest.approx(2 * 0.2 * math.exp(-3) * 86_400)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"beliefs": Beliefs(half_spread_bps=1.0)}, "every fill loses: half-spread 1.00 bps"),
        (
            {"market_half_spread_bps": 0.1},
            "impact size 0.10 bps from the mid, nearer than fee + edge",
        ),
        ({"oi_headroom_usd": 500.0}, "the open interest leaves 500 USD below its cap"),
        ({"beliefs": Beliefs(half_spread_bps=40.0)}, "fills a day are expected 40 bps from"),
        ({"mark_px": 90_000_000.0}, "fewer than two of the venue's least orders of 900.00"),
    ],
)
def test_unmakeable_markets_are_told(facts: dict[str, object], words: str) -> None:
    (market,) = viability(fleet(), known(**facts)).markets
    assert any(words in warning for warning in market.warnings), market.warnings


@pytest.mark.parametrize(
    ("there", "spot", "words"),
    [
        (1_000.0, 0.0, None),
        (400.0, 700.0, "DEX hyna lacks 600.00 USDE of margin: move 600.00 USDE there from spot"),
        (0.0, 700.0, "move 700.00 USDE there from spot and buy 300.00 USDE"),
        (0.0, None, "DEX hyna lacks 1,000.00 USDE of margin: buy 1,000.00 USDE"),
    ],
)
def test_missing_collateral_is_told_with_what_to_do(
    there: float, spot: float | None, words: str | None
) -> None:
    facts = Facts("test", dexes={"hyna": DexFacts("USDE", there, spot)})
    (dex,) = viability(spec("hyna:BTC"), facts).dexes
    assert bool(dex.warnings) == (words is not None)
    if words:
        assert words in dex.warnings[0]


def test_a_token_below_its_peg_needs_more_of_it() -> None:
    facts = Facts("test", dexes={"hyna": DexFacts("USDE", 1_000.0, 0.0, token_mark_usd=0.98)})
    (dex,) = viability(spec("hyna:BTC"), facts).dexes
    assert dex.needed == pytest.approx(1_020.41, abs=0.01)
    assert dex.missing == pytest.approx(20.41, abs=0.01)


def test_an_account_whose_margin_is_not_per_dex_is_told() -> None:
    (warning,) = viability(fleet(), Facts("test", account_mode="unifiedAccount")).warnings
    assert "mode unifiedAccount" in warning
    assert viability(fleet(), Facts("test", account_mode="default")).warnings == ()
