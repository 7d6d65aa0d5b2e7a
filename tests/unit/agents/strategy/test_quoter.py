"""The pricing function: components that add up, the reducing side nearer, limits on width."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.settings import StrategySettings
from agents.skew import SkewTable
from agents.strategy.conditions import CALM, Conditions
from agents.strategy.exact import solve
from agents.strategy.glft import glft
from agents.strategy.quoter import Quoting, SideRoom, quote
from agents.strategy.sizes import clip_size

SOL = Instrument(coin=Coin("SOL"), asset_id=5, sz_decimals=2, leverage_max=20)
D = Decimal
ESTIMATES = Estimates(
    bid_px=199.99,
    ask_px=200.01,
    mid_px=200.0,
    fair_px=200.0,
    sigma_bps=1.0,
    sigma_known=True,
    fills_per_s=0.05,
    kappa_per_bps=0.15,
    mark_px=None,
    ready=True,
)
FLAT = D(0)
ROOM = SideRoom(room_sz=D(20))


def _quote(
    position_sz: Decimal = FLAT,
    *,
    settings: StrategySettings | None = None,
    bid: SideRoom = ROOM,
    ask: SideRoom = ROOM,
    conditions: Conditions = CALM,
    limit_sz: Decimal | None = None,
    table: SkewTable | None = None,
    present: bool = False,
    **estimates: Any,
) -> Quoting:
    return quote(
        msgspec.structs.replace(ESTIMATES, **estimates),
        settings=settings or StrategySettings(half_spread_floor_bps=2.0),
        instrument=SOL,
        position_sz=position_sz,
        clip_sz=D(2),
        bid_room=bid,
        ask_room=ask,
        conditions=conditions,
        limit_sz=limit_sz,
        table=table,
        present=present,
    )


MODEL_ALONE = StrategySettings(
    half_spread_floor_bps=2.0, quoted_max_bps=0.0, drift_weight=1.0, retreat_weight=0.0,
    adverse_weight=1.0,
)  # fmt: skip


def test_incident_28_level_zero_is_glft_plus_fee() -> None:
    quoting = _quote(settings=MODEL_ALONE)
    spread = glft(sigma_bps=1.0, kappa_per_bps=0.15, fills_per_s=0.05, risk_aversion=0.3)
    total_bps = spread.half_spread_bps + 1.5
    assert quoting.half_spread.total_bps == pytest.approx(total_bps)
    assert float(quoting.bids[0].px) == pytest.approx(200 * (1 - total_bps / 1e4), abs=0.01)
    assert float(quoting.asks[0].px) == pytest.approx(200 * (1 + total_bps / 1e4), abs=0.01)


def test_incident_38_the_parts_add_up_to_the_quote() -> None:
    for floor_bps in (2.0, 8.0, 12.0, 40.0):
        half = _quote(settings=StrategySettings(half_spread_floor_bps=floor_bps)).half_spread
        assert half.total_bps == half.wanted_bps + half.floor_bps
        assert sum(half.parts().values()) == half.total_bps
        assert half.total_bps >= floor_bps
        assert (half.floor_bps > 0) == (half.floor_name != "")


def test_incident_27_holding_moves_both_quotes_against_the_position() -> None:
    flat, long = _quote(), _quote(D(6))
    assert long.bids[0].px < flat.bids[0].px
    assert long.asks[0].px < flat.asks[0].px
    short = _quote(D(-6))
    assert short.bids[0].px > flat.bids[0].px


def test_mirrored_inventory_mirrors_the_distances() -> None:
    long, short = _quote(D(6)), _quote(D(-6))
    up = [float(quote.px) - 200.0 for quote in long.asks]
    down = [200.0 - float(quote.px) for quote in short.bids]
    assert up == pytest.approx(down, abs=0.0101)


def test_too_wide_only_reduces() -> None:
    wide = _quote(
        D(6),
        ask=SideRoom(room_sz=D(20), reducing_sz=D(6)),
        sigma_bps=200.0,
    )
    assert wide.too_wide
    assert wide.bids == ()
    assert sum(quote.sz for quote in wide.asks) == 6


def test_reduce_only_stays_within_the_position() -> None:
    only = SideRoom(room_sz=D(6), reducing_sz=D("5"), reduce_only=True)
    quoting = _quote(D(5), bid=SideRoom(room_sz=D(0)), ask=only)
    assert quoting.bids == ()
    assert sum(quote.sz for quote in quoting.asks) == 5


def test_dust_is_closed_whole() -> None:
    only = SideRoom(room_sz=D("0.03"), reducing_sz=D("0.03"), reduce_only=True)
    quoting = _quote(D("0.03"), bid=SideRoom(room_sz=D(0)), ask=only)
    assert [quote.sz for quote in quoting.asks] == [D("0.03")]


@pytest.mark.parametrize(
    ("settings", "position_max_usd", "clip_sz"),
    [
        (StrategySettings(), 10_000.0, D("4.85")),  # 0.97 * 10000 * 0.5 / 5 levels at 200
        (StrategySettings(levels=2), 10_000.0, D("12.12")),
        (StrategySettings(clip_usd=300.0), 10_000.0, D("1.5")),
        (StrategySettings(), 20.0, D("0.06")),  # the venue's 10 USD and a fifth, in whole lots
    ],
)
def test_clip(settings: StrategySettings, position_max_usd: float, clip_sz: Decimal) -> None:
    found = clip_size(
        settings=settings,
        instrument=SOL,
        position_max_usd=position_max_usd,
        reference_px=200.0,
    )
    assert found == clip_sz


def test_a_model_wider_than_what_counts_as_quoting_is_drawn_in_and_floors_are_not() -> None:
    drawn = _quote().half_spread
    assert drawn.model_bps + drawn.fee_bps > 5.0
    assert drawn.total_bps == pytest.approx(5.0)
    assert drawn.presence_bps < 0
    floored = _quote(settings=StrategySettings(half_spread_floor_bps=7.0)).half_spread
    assert floored.total_bps == pytest.approx(7.0)


def test_an_expected_move_shifts_both_sides_and_no_further_than_it_may() -> None:
    calm = _quote(settings=MODEL_ALONE)
    up = _quote(settings=MODEL_ALONE, conditions=Conditions(drift_bps=2.0))
    far = _quote(settings=MODEL_ALONE, conditions=Conditions(drift_bps=200.0))
    assert up.centre_px == pytest.approx(calm.centre_px * (1 + 2e-4))
    assert up.bids[0].px > calm.bids[0].px
    assert up.asks[0].px > calm.asks[0].px
    assert far.drift_bps == MODEL_ALONE.drift_max_bps


def test_who_is_selected_against_stands_further_off_on_that_side_alone() -> None:
    calm = _quote(settings=MODEL_ALONE)
    bid = _quote(settings=MODEL_ALONE, conditions=Conditions(adverse_bid_bps=2.0))
    assert bid.bid.total_bps == pytest.approx(calm.bid.total_bps + 2.0)
    assert bid.ask == calm.ask
    capped = _quote(settings=MODEL_ALONE, conditions=Conditions(adverse_bid_bps=50.0))
    assert capped.bid.adverse_bps == MODEL_ALONE.advanced.adverse_max_bps


def test_the_exact_skew_is_asked_for_and_used_where_it_serves() -> None:
    asked = _quote(D(10), settings=MODEL_ALONE, limit_sz=D(20))
    assert asked.problem is not None
    assert not asked.exact
    table = solve(asked.problem)
    exact = _quote(D(10), settings=MODEL_ALONE, limit_sz=D(20), table=table)
    assert exact.exact
    spread = glft(sigma_bps=1.0, kappa_per_bps=0.15, fills_per_s=0.05, risk_aversion=0.3)
    closed_bps = spread.distance_bps(5, sign=1)
    assert exact.bid.model_bps + exact.shift_bps[0] == pytest.approx(
        closed_bps + table.bid_bps[10 + 5]
    )
    other = _quote(D(10), settings=MODEL_ALONE, limit_sz=D(20), table=table, sigma_bps=2.0)
    assert not other.exact


def test_while_little_is_held_a_reducing_quote_pays_its_fee_at_least() -> None:
    """The centre is 200, the fee 1.5 bps: no ask below 200.03 with two clips of a large limit."""
    ask = SideRoom(room_sz=D(20), reducing_sz=D(4))
    much = _quote(D(4), settings=MODEL_ALONE, ask=ask, limit_sz=D(12), sigma_bps=2.0)
    little = _quote(D(4), settings=MODEL_ALONE, ask=ask, limit_sz=D(60), sigma_bps=2.0)
    assert float(much.asks[0].px) < 200 * (1 + 1.5e-4)
    assert float(little.asks[0].px) >= 200 * (1 + 1.5e-4) - 1e-9
    dear = msgspec.structs.replace(MODEL_ALONE, reducing_edge_min_bps=-50.0)
    free = _quote(D(4), settings=dear, ask=ask, limit_sz=D(60), sigma_bps=2.0)
    assert free.asks == much.asks


def test_the_adding_side_stays_in_the_band_while_the_reducing_one_is_patient() -> None:
    """A skew of more than the half-spread a clip, as thin markets have: it would take the reducing
    side past the centre, but patience keeps that side where it pays. So the adding side has nothing
    to make way for, and counts as quoting.
    """
    wild: dict[str, Any] = {"sigma_bps": 2.5, "fills_per_s": 0.02, "kappa_per_bps": 0.25}
    plain = StrategySettings(half_spread_floor_bps=2.0, retreat_weight=0.0)
    quoting = _quote(D(2), limit_sz=D(20), present=True, settings=plain, **wild)
    half_bps = quoting.half_spread.total_bps
    assert quoting.shift_bps[0] > half_bps
    assert quoting.patience_bps[1] > 0
    assert half_bps <= quoting.first_bps[0] <= 10.0
    assert quoting.bids[0].px < quoting.asks[0].px
