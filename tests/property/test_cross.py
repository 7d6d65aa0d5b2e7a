"""What must hold of cross-market quoting: the seven invariants, over fleets of any make."""

from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.portfolio import CrossSkew, GammaRow, Holdings, cross_skew
from agents.settings import StrategySettings
from agents.strategy.glft import glft
from agents.strategy.quoter import Quoting, SideRoom, quote
from fleet.risk.covariance import Matrix, floored
from fleet.risk.gamma import Liquid, gamma_of

NOW_MS = 1_750_000_000_000
few = settings(max_examples=25, deadline=None)


def liquid(random: Random) -> Liquid:
    """A market of any make: parameters over two decades each."""
    return Liquid(
        sigma_bps=10 ** random.uniform(-1, 1.3),
        fills_per_s=10 ** random.uniform(-3, 0.3),
        kappa_per_bps=10 ** random.uniform(-1.3, 0.7),
        risk_aversion=10 ** random.uniform(-1.7, 0.3),
        clip_usd=10 ** random.uniform(1.3, 3.7),
    )


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[Liquid], Matrix, Matrix]:
    """Markets, a correlation between them, and positions in USD."""
    random = Random(draw(st.integers(0, 2**32)))
    size = draw(st.integers(2, 6))
    loadings = np.array([random.uniform(-0.95, 0.95) for _ in range(size)])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    held = np.array([random.uniform(-1e5, 1e5) for _ in range(size)])
    return [liquid(random) for _ in range(size)], floored(correlation), held


@given(fleets(), st.integers(0, 719))
@few
def test_i_the_order_of_the_markets_does_not_matter(
    fleet: tuple[list[Liquid], Matrix, Matrix], shuffle: int
) -> None:
    markets, correlation, _ = fleet
    order = list(range(len(markets)))
    Random(shuffle).shuffle(order)
    plain = gamma_of(markets, correlation)
    mixed = gamma_of([markets[i] for i in order], correlation[np.ix_(order, order)])
    scale = np.sqrt(np.outer(np.diag(plain), np.diag(plain)))
    assert np.all(np.abs(mixed - plain[np.ix_(order, order)]) <= 1e-7 * scale[np.ix_(order, order)])


@given(fleets())
@few
def test_ii_without_correlation_a_row_is_the_local_skew(
    fleet: tuple[list[Liquid], Matrix, Matrix],
) -> None:
    markets = fleet[0]
    gamma = gamma_of(markets, np.eye(len(markets)))
    for at, market in enumerate(markets):
        local = glft(
            sigma_bps=market.sigma_bps,
            kappa_per_bps=market.kappa_per_bps,
            fills_per_s=market.fills_per_s,
            risk_aversion=market.risk_aversion,
        ).skew_bps
        assert gamma[at, at] * market.clip_usd == pytest.approx(local, rel=1e-12)
        assert gamma[at, at] == pytest.approx(market.own_bps_per_usd, rel=1e-12)
        others = np.delete(gamma[at], at)
        assert np.all(np.abs(others) <= 1e-9 * gamma[at, at])


def skew_of(fleet: tuple[list[Liquid], Matrix, Matrix], at: int, usd: Matrix) -> CrossSkew | None:
    markets, correlation, _ = fleet
    names = [f"M{i}" for i in range(len(markets))]
    row = gamma_of(markets, correlation)[at].tolist()
    return cross_skew(
        GammaRow(NOW_MS, markets[at].own_bps_per_usd, dict(zip(names, row, strict=True))),
        Holdings(NOW_MS, dict(zip(names, usd.tolist(), strict=True))),
        market=names[at],
        clip_usd=markets[at].clip_usd,
        now_ms=NOW_MS,
    )


@given(fleets(), st.floats(-50.0, 50.0))
@few
def test_iii_the_skew_scales_with_the_positions_and_iv_flat_is_none(
    fleet: tuple[list[Liquid], Matrix, Matrix], times: float
) -> None:
    held = fleet[2]
    for at in range(len(fleet[0])):
        once, scaled, flat = (skew_of(fleet, at, held * by) for by in (1.0, times, 0.0))
        if once is None or scaled is None:
            continue  # a row that no market could have
        assert scaled.clips == pytest.approx(times * once.clips, rel=1e-9, abs=1e-9)
        assert flat is not None
        assert flat.clips == 0.0


@given(fleets())
@few
def test_v_the_portfolio_is_worth_less_with_every_fill_that_adds_risk(
    fleet: tuple[list[Liquid], Matrix, Matrix],
) -> None:
    """theta(x) = -x'Gamma x/2: a clip in the direction of (Gamma x)_i lowers it, by more than half
    of the diagonal's own cost; which is what the quotes ask for.
    """
    markets, correlation, held = fleet
    gamma = gamma_of(markets, correlation)
    marginal = gamma @ held
    for at, market in enumerate(markets):
        step = np.zeros(len(markets))
        step[at] = market.clip_usd * (1.0 if marginal[at] >= 0 else -1.0)
        before, after = -held @ gamma @ held / 2, -(held + step) @ gamma @ (held + step) / 2
        assert after < before


@given(fleets(), st.integers(0, 5))
@few
def test_vi_what_is_pruned_is_as_if_it_had_never_been(
    fleet: tuple[list[Liquid], Matrix, Matrix], which: int
) -> None:
    markets, correlation, _ = fleet
    gone = which % len(markets)
    alone = correlation.copy()
    alone[gone, :] = alone[:, gone] = 0.0
    alone[gone, gone] = 1.0
    keep = [at for at in range(len(markets)) if at != gone]
    pruned = gamma_of([markets[at] for at in keep], correlation[np.ix_(keep, keep)])
    beside = gamma_of(markets, alone)[np.ix_(keep, keep)]
    scale = np.sqrt(np.outer(np.diag(pruned), np.diag(pruned)))
    assert np.all(np.abs(beside - pruned) <= 1e-7 * scale), "an uncorrelated one changes nothing"


# ── the quotes ───────────────────────────────────────────────────────────────────────────────

SOL = Instrument(coin=Coin("SOL"), asset_id=5, sz_decimals=2, leverage_max=20)
SETTINGS = StrategySettings(half_spread_floor_bps=2.0, levels=1, half_spread_max_bps=1e9)


def quoted(cross: CrossSkew | None, position_sz: str = "0") -> Quoting:
    estimates = Estimates(
        bid_px=199.99, ask_px=200.01, mid_px=200.0, fair_px=200.0, sigma_bps=1.0, sigma_known=True,
        fills_per_s=0.05, kappa_per_bps=0.15, mark_px=None, ready=True,
    )  # fmt: skip
    room = SideRoom(room_sz=Decimal(20))
    return quote(
        estimates, settings=SETTINGS, instrument=SOL, position_sz=Decimal(position_sz),
        clip_sz=Decimal(2), bid_room=room, ask_room=room, cross=cross,
    )  # fmt: skip


wild = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1e-300, 1e300, -1e300])
)


@given(own=wild, diagonal=wild, other=wild, usd=wild, age_ms=st.integers(-(10**9), 10**9))
@few
def test_vii_bad_numbers_never_bring_a_quote_to_where_it_loses(
    own: float, diagonal: float, other: float, usd: float, age_ms: int
) -> None:
    """Whatever comes in, the quotes are the market's own, or none is nearer than it pays its fee
    and none further than the cap.
    """
    cross = cross_skew(
        GammaRow(NOW_MS - age_ms, own, {"SOL": diagonal, "BTC": other}),
        Holdings(NOW_MS - age_ms, {"BTC": usd}),
        market="SOL", clip_usd=400.0, now_ms=NOW_MS,
    )  # fmt: skip
    if abs(age_ms) > 300_000:
        assert cross is None
    alone, found = quoted(None), quoted(cross)
    if cross is None:
        assert found == alone
        return
    assert abs(found.cross_bps) <= found.half_spread.total_bps + 1e-9
    for first, own_bps in zip(found.first_bps, (0.0, 0.0), strict=True):
        assert first >= own_bps + SOL.maker_fee_bps - 1e-9


@given(st.floats(-30.0, 30.0), st.floats(0.3, 1.0), st.integers(-9, 9))
@few
def test_it_is_mirrored(clips: float, own_share: float, held: int) -> None:
    one = quoted(CrossSkew(own_share, clips), str(held))
    other = quoted(CrossSkew(own_share, -clips), str(-held))
    assert one.first_bps == pytest.approx(tuple(reversed(other.first_bps)), abs=1e-9)
    assert one.cross_bps == pytest.approx(-other.cross_bps, abs=1e-12)
