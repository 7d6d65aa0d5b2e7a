"""The ladder: prices a tick apart and never taking, sizes within the room."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.market.instrument import Instrument
from agents.market.types import Coin, Quote, Side
from agents.strategy.ladder import Rung, capacity_sz, distances_bps, ladder

SOL = Instrument(coin=Coin("SOL"), asset_id=5, sz_decimals=2, leverage_max=20)
D = Decimal
RUNG = Rung(
    side=Side.BID,
    adding_min_bps=2.0,
    clip_sz=D("0.50"),
    room_sz=D("2.50"),
    reducing_sz=D(0),
)


def _ladder(
    fair_px: float = 200.0,
    opposite_px: float = 200.01,
    *,
    level0_bps: float = 8.0,
    step_bps: float = 8.0,
    **changed: Any,
) -> list[Quote]:
    rung = msgspec.structs.replace(RUNG, **changed)
    distances = distances_bps(level0_bps=level0_bps, step_bps=step_bps, ratio=1.5, levels=5)
    return list(
        ladder(rung, distances=distances, fair_px=fair_px, opposite_px=opposite_px, instrument=SOL)
    )


def test_levels_without_skew_are_geometric() -> None:
    assert distances_bps(level0_bps=8, step_bps=8, ratio=1.5, levels=4) == [8, 12, 18, 27]


def test_level_zero_stands_at_its_distance_rounded_away() -> None:
    quotes = _ladder(fair_px=200.002)
    assert [quote.px for quote in quotes] == [
        D("199.84"), D("199.76"), D("199.64"), D("199.46"), D("199.19"),
    ]  # fmt: skip
    assert {quote.sz for quote in quotes} == {D("0.5")}


@pytest.mark.parametrize("side", Side)
def test_it_never_takes(side: Side) -> None:
    """Skewed through the market, the ladder stops a tick before the other side."""
    quotes = _ladder(
        side=side, level0_bps=-30.0, reducing_sz=D(100), opposite_px=200.0, fair_px=200.0
    )
    touch = D("199.99") if side is Side.BID else D("200.01")
    assert quotes[0].px == touch
    away = [side.sign * quote.px for quote in quotes]
    assert away == sorted(away, reverse=True)
    assert len(set(away)) == 5


def test_collapsing_levels_are_a_tick_apart() -> None:
    quotes = _ladder(level0_bps=8.0, step_bps=0.01)
    assert [quote.px for quote in quotes] == [D("199.84") - D("0.01") * n for n in range(5)]


def test_the_room_ends_the_ladder_in_whole_lots() -> None:
    quotes = _ladder(room_sz=D("1.2345"))
    assert [quote.sz for quote in quotes] == [D("0.5"), D("0.5"), D("0.23")]


def test_incident_12_what_is_below_the_venues_minimum_is_not_quoted() -> None:
    assert _ladder(room_sz=D("0.04")) == []  # 8 USD
    assert len(_ladder(room_sz=D("0.06"))) == 1


def test_one_order_that_closes_the_position_may_be_small() -> None:
    quotes = _ladder(room_sz=D("0.04"), reducing_sz=D("0.04"), whole_sz=D("0.04"))
    assert [quote.sz for quote in quotes] == [D("0.04")]


def test_incident_53_size_that_adds_keeps_its_distance_and_size_that_reduces_need_not() -> None:
    near = _ladder(level0_bps=0.5, step_bps=0.4, reducing_sz=D("1.0"))
    assert near[0].px == D("199.99")
    assert near[1].px <= D("199.98")
    for adding in near[2:]:
        assert (200 - adding.px) / 200 * 10_000 >= D("2")


def test_no_price_below_zero() -> None:
    assert _ladder(level0_bps=20_000.0) == []


def test_capacity_counts_what_is_open_and_is_never_negative() -> None:
    """Incident 24."""
    limit = {"limit_sz": D(10), "position_sz": D(4), "open_sz": D(3)}
    assert capacity_sz(side=Side.BID, **limit) == 3
    assert capacity_sz(side=Side.ASK, **limit) == 11
    assert capacity_sz(side=Side.BID, limit_sz=D(10), position_sz=D(12), open_sz=D(0)) == 0
