"""What holds of every quote: parts add up, mirrored, monotone, never taking, within its room."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Coin, Quote, Side
from agents.settings import StrategySettings
from agents.strategy.conditions import Conditions
from agents.strategy.glft import glft
from agents.strategy.quoter import Quoting, SideRoom, quote

sigmas = st.floats(0.05, 60.0)
kappas = st.floats(0.02, 20.0)
rates = st.floats(1e-3, 5.0)
aversions = st.floats(1e-3, 3.0)
instruments = st.builds(
    Instrument,
    coin=st.just(Coin("X")),
    asset_id=st.just(0),
    sz_decimals=st.integers(0, 5),
    leverage_max=st.just(10),
    maker_fee_bps=st.floats(-0.5, 5.0),
)
strategies_ = st.builds(
    StrategySettings,
    risk_aversion=aversions,
    levels=st.integers(1, 8),
    level_ratio=st.floats(1.0, 3.0),
    half_spread_floor_bps=st.floats(0.1, 20.0),
    half_spread_max_bps=st.just(1e9),
    edge_min_bps=st.floats(0.0, 2.0),
)


@st.composite
def markets(draw: st.DrawFn) -> Estimates:
    mid_px = draw(st.floats(0.001, 200_000.0))
    half = draw(st.floats(1e-6, 5e-3))
    bid_px, ask_px = mid_px * (1 - half), mid_px * (1 + half)
    return Estimates(
        bid_px=bid_px,
        ask_px=ask_px,
        mid_px=(bid_px + ask_px) / 2,
        fair_px=mid_px * (1 + draw(st.floats(-1.0, 1.0)) * min(half, 5e-4)),
        sigma_bps=draw(sigmas),
        sigma_known=True,
        fills_per_s=draw(rates),
        kappa_per_bps=draw(kappas),
        mark_px=None,
        ready=True,
    )


@st.composite
def quotings(draw: st.DrawFn) -> tuple[Estimates, Instrument, StrategySettings, Decimal, Quoting]:
    estimates, instrument = draw(markets()), draw(instruments)
    strategy = draw(strategies_)
    assume(estimates.mid_px > 200 * 10.0 ** (instrument.sz_decimals - 6))  # 200 ticks at least
    clip_sz = instrument.viable_sz(instrument.passive_px(estimates.mid_px / 2, Side.BID))
    position_sz = instrument.floor_sz(clip_sz * draw(st.integers(0, 12)))
    position_sz *= draw(st.sampled_from([1, -1]))
    room_sz = clip_sz * draw(st.integers(0, 20))
    return (
        estimates,
        instrument,
        strategy,
        position_sz,
        quote(
            estimates,
            settings=strategy,
            instrument=instrument,
            position_sz=position_sz,
            clip_sz=clip_sz,
            bid_room=SideRoom(room_sz=room_sz, reducing_sz=max(-position_sz, Decimal(0))),
            ask_room=SideRoom(room_sz=room_sz, reducing_sz=max(position_sz, Decimal(0))),
            present=draw(st.booleans()),
            conditions=Conditions(
                drift_bps=draw(st.floats(-9.0, 9.0)),
                adverse_bid_bps=draw(st.floats(-1.0, 6.0)),
                adverse_ask_bps=draw(st.floats(-1.0, 6.0)),
            ),
        ),
    )


@settings(max_examples=300, deadline=None)
@given(quotings())
def test_every_quote_is_legal_and_never_takes(
    case: tuple[Estimates, Instrument, StrategySettings, Decimal, Quoting],
) -> None:
    estimates, instrument, strategy, position_sz, quoting = case
    half = quoting.half_spread
    for side in (quoting.bid, quoting.ask):
        added = 0.0
        for bps in side.parts().values():
            added += bps
        assert side.total_bps == added
    assert half.total_bps >= strategy.half_spread_floor_bps - 1e-9
    for quotes in (quoting.bids, quoting.asks):
        for one in quotes:
            assert instrument.accepts_px(one.px)
            assert instrument.accepts_sz(one.sz)
            assert one.px * one.sz >= 10
        away = [-one.side.sign * one.px for one in quotes]
        assert away == sorted(set(away))
    assert all(float(bid.px) < estimates.ask_px for bid in quoting.bids)
    assert all(float(ask.px) > estimates.bid_px for ask in quoting.asks)
    if quoting.bids and quoting.asks:
        assert quoting.bids[0].px < quoting.asks[0].px
    _check_edge(case, quoting.bids, 1, position_sz)
    _check_edge(case, quoting.asks, -1, position_sz)


def _check_edge(
    case: tuple[Estimates, Instrument, StrategySettings, Decimal, Quoting],
    quotes: tuple[Quote, ...],
    sign: int,
    position_sz: Decimal,
) -> None:
    """Nothing below fee and edge, unless all of it reduces."""
    _, instrument, strategy, _, quoting = case
    least_bps = instrument.maker_fee_bps + strategy.edge_min_bps
    used_sz = Decimal(0)
    for one in quotes:
        used_sz += one.sz
        if used_sz > max(-sign * position_sz, Decimal(0)):
            away_bps = sign * (1 - float(one.px) / quoting.centre_px) * 1e4
            assert away_bps >= least_bps - 1e-6


@given(sigmas, kappas, rates, aversions, st.floats(-20, 20))
def test_mirror_symmetry_to_the_last_bit(
    sigma: float, kappa: float, rate: float, rho: float, clips: float
) -> None:
    spread = glft(sigma_bps=sigma, kappa_per_bps=kappa, fills_per_s=rate, risk_aversion=rho)
    assert spread.distance_bps(clips, sign=1) == spread.distance_bps(-clips, sign=-1)


@given(sigmas, kappas, rates, aversions, st.floats(1.05, 3.0))
def test_monotone_as_derived(
    sigma: float, kappa: float, rate: float, rho: float, more: float
) -> None:
    def at(**changed: float) -> tuple[float, float]:
        known = {
            "sigma_bps": sigma, "kappa_per_bps": kappa, "fills_per_s": rate, "risk_aversion": rho,
        } | changed  # fmt: skip
        spread = glft(**known)
        return spread.half_spread_bps, spread.skew_bps

    half, skew = at()
    assert at(sigma_bps=sigma * more)[1] > skew
    assert at(risk_aversion=rho * more)[1] > skew
    assert at(fills_per_s=rate * more)[1] < skew
    assert at(kappa_per_bps=kappa * more)[0] < half
    assert at(kappa_per_bps=kappa * more)[1] == pytest.approx(skew)


@given(markets(), aversions)
def test_units_of_the_price_do_not_matter(estimates: Estimates, rho: float) -> None:
    """The distances in bps are those of the same market priced in another coin, but for ticks."""
    spread = glft(
        sigma_bps=estimates.sigma_bps,
        kappa_per_bps=estimates.kappa_per_bps,
        fills_per_s=estimates.fills_per_s,
        risk_aversion=rho,
    )
    absolute = glft(
        sigma_bps=estimates.sigma_bps * estimates.mid_px,
        kappa_per_bps=estimates.kappa_per_bps / estimates.mid_px,
        fills_per_s=estimates.fills_per_s,
        risk_aversion=rho,
    )
    assert absolute.half_spread_bps / estimates.mid_px == pytest.approx(spread.half_spread_bps)


@given(
    st.lists(st.floats(0.01, 150_000.0), min_size=1, max_size=8),
    instruments,
    st.sampled_from(Side),
)
def test_prices_rounded_together_are_those_rounded_alone(
    pxs: list[float], instrument: Instrument, side: Side
) -> None:
    """But for what lies within a millionth of a tick of the grid."""
    together = instrument.passive_pxs(pxs, side)
    for px, rounded in zip(pxs, together, strict=True):
        alone = instrument.passive_px(px, side)
        if rounded != alone:
            assert abs(px / float(rounded) - 1) < 1e-5 * float(instrument.tick_px(px)) / px + 1e-15
