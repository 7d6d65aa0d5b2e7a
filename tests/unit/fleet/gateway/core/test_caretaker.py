"""The caretaker's moves, one by one."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.market.instrument import Instrument
from agents.market.types import Coin, Side
from fleet.gateway.core.caretaker import (
    AGAIN_MS,
    MARK_AGE_MAX_MS,
    PATIENCE_MS,
    REQUOTE_MS,
    TOUCH_AGE_MAX_MS,
    Cause,
    Do,
    Mandate,
    Move,
    Sight,
    Wanted,
    Working,
    decide,
)

NOW_MS = 1_000_000
BTC = Instrument(coin=Coin("BTC"), asset_id=0, sz_decimals=5, leverage_max=40)
LONG = Sight(
    instrument=BTC, position_sz=Decimal("0.5"), bid_px=99_990.0, ask_px=100_010.0, touch_age_ms=100,
    mark_px=100_000.0, mark_age_ms=100,
)  # fmt: skip


def mandate(do: Do, cause: Cause = "orphan", *, acting_ms: int = NOW_MS) -> Mandate:
    return Mandate(cause=cause, do=do, collar_bps=50.0, acting_ms=acting_ms)


def sight(**changes: Any) -> Sight:
    return msgspec.structs.replace(LONG, **changes)


def resting(px: str, sz: str = "0.5", *, settled: bool = True) -> tuple[Working, ...]:
    return (Working("0xa", Decimal(px), Decimal(sz), settled=settled, touched_ms=NOW_MS),)


PATIENT = mandate("flatten")
IMPATIENT = mandate("flatten", acting_ms=NOW_MS - PATIENCE_MS)


def test_hold_places_nothing_and_takes_off_what_rests() -> None:
    assert decide(mandate("hold"), LONG, NOW_MS) == Move(waits="holds")
    assert decide(mandate("hold"), sight(working=resting("100010")), NOW_MS).cancel == ("0xa",)


@pytest.mark.parametrize("do", ["reduce", "flatten"])
def test_it_begins_with_one_post_only_order_at_the_touch(do: Do) -> None:
    move = decide(mandate(do), LONG, NOW_MS)
    assert move.place == Wanted(Side.ASK, Decimal(100_010), Decimal("0.5"), "Alo")
    short = sight(position_sz=Decimal("-0.5"))
    move = decide(mandate(do), short, NOW_MS)
    assert move.place == Wanted(Side.BID, Decimal(99_990), Decimal("0.5"), "Alo")


def test_reduce_never_takes_however_long_it_lasts() -> None:
    patient = mandate("reduce", acting_ms=0)
    move = decide(patient, LONG, NOW_MS)
    assert move.place is not None
    assert move.place.tif == "Alo"


def test_flatten_loses_its_patience_and_takes_down_to_the_collar() -> None:
    resting_still = sight(working=resting("100010"))
    assert decide(IMPATIENT, resting_still, NOW_MS).cancel == ("0xa",)
    move = decide(IMPATIENT, LONG, NOW_MS)
    assert move.place == Wanted(Side.ASK, Decimal(99_500), Decimal("0.5"), "Ioc")
    move = decide(IMPATIENT, sight(position_sz=Decimal("-0.5")), NOW_MS)
    assert move.place == Wanted(Side.BID, Decimal(100_499), Decimal("0.5"), "Ioc")


def test_a_halt_takes_at_once() -> None:
    move = decide(mandate("flatten", "halt"), LONG, NOW_MS)
    assert move.place is not None
    assert move.place.tif == "Ioc"


def test_beyond_the_collar_nothing_is_taken() -> None:
    move = decide(IMPATIENT, sight(bid_px=99_499.0), NOW_MS)
    assert move.place is None
    assert "50 bps" in move.waits
    assert decide(IMPATIENT, sight(bid_px=None), NOW_MS).place is None


def test_a_touch_outside_the_collar_is_not_followed() -> None:
    move = decide(PATIENT, sight(bid_px=98_000.0, ask_px=98_100.0), NOW_MS)
    assert move.place is not None
    assert move.place.px == Decimal(99_500)


def test_it_requotes_seldom_but_leaves_the_collar_at_once() -> None:
    behind = sight(working=resting("100050"), last_sent_ms=NOW_MS - REQUOTE_MS + 1)
    assert decide(PATIENT, behind, NOW_MS).cancel == ()
    due = sight(working=resting("100050"), last_sent_ms=NOW_MS - REQUOTE_MS)
    assert decide(PATIENT, due, NOW_MS).cancel == ("0xa",)
    moved = sight(working=resting("100010"), mark_px=101_000.0, last_sent_ms=NOW_MS - 1)
    assert decide(PATIENT, moved, NOW_MS).cancel == ("0xa",)


def test_what_rests_rightly_is_left_and_a_changed_position_is_followed() -> None:
    right = sight(working=resting("100010"), last_sent_ms=0)
    assert decide(PATIENT, right, NOW_MS) == Move(waits="rests at the touch")
    grown = sight(working=resting("100010", "0.3"), last_sent_ms=0)
    assert decide(PATIENT, grown, NOW_MS).cancel == ("0xa",)


def test_one_thing_at_a_time() -> None:
    under_way = sight(working=resting("100010", settled=False))
    for one in (PATIENT, IMPATIENT, mandate("reduce")):
        assert decide(one, under_way, NOW_MS) == Move(waits="an order is under way")
    assert decide(PATIENT, sight(last_sent_ms=NOW_MS - AGAIN_MS + 1), NOW_MS).place is None
    assert decide(IMPATIENT, sight(last_sent_ms=NOW_MS - AGAIN_MS + 1), NOW_MS).place is None


@pytest.mark.parametrize(
    "changes",
    [
        {"mark_px": None}, {"mark_age_ms": MARK_AGE_MAX_MS + 1}, {"mark_age_ms": None},
        {"touch_age_ms": TOUCH_AGE_MAX_MS + 1}, {"touch_age_ms": None},
    ],
)  # fmt: skip
def test_blind_it_does_nothing_and_lets_nothing_rest(changes: dict[str, Any]) -> None:
    for one in (PATIENT, IMPATIENT):
        move = decide(one, sight(working=resting("100010"), **changes), NOW_MS)
        assert (move.cancel, move.place) == (("0xa",), None)


def test_dust_below_the_venues_minimum_is_closed_whole() -> None:
    """The minimum of 10 exempts a reduce-only order for the whole position."""
    for one in (PATIENT, IMPATIENT):
        move = decide(one, sight(position_sz=Decimal("0.00001")), NOW_MS)
        assert move.place is not None
        assert move.place.sz == Decimal("0.00001")


@given(
    position_lots=st.integers(-1_000, 1_000),
    bid_px=st.none() | st.floats(90_000, 110_000),
    spread_px=st.floats(1, 500),
    mark_px=st.floats(95_000, 105_000),
    do=st.sampled_from(["hold", "reduce", "flatten"]),
    acting_ms=st.integers(0, NOW_MS),
)
def test_every_order_reduces_and_stays_inside_the_collar(
    position_lots: int, bid_px: float | None, spread_px: float, mark_px: float, do: Do,
    acting_ms: int,
) -> None:  # fmt: skip
    seen = sight(
        position_sz=Decimal(position_lots) / 100_000, bid_px=bid_px,
        ask_px=None if bid_px is None else bid_px + spread_px, mark_px=mark_px,
    )  # fmt: skip
    place = decide(mandate(do, acting_ms=acting_ms), seen, NOW_MS).place
    if place is None:
        return
    assert place.side.sign * position_lots < 0
    assert place.sz == abs(seen.position_sz)
    assert BTC.accepts_px(place.px)
    lost_share = (float(place.px) / mark_px - 1) * place.side.sign
    assert lost_share <= 50.0 / 10_000 + 1e-12
