"""Wanted minus live: keep what is near, act at once when too aggressive, wait when too passive."""

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from agents.market.types import Cloid, Quote, Side
from agents.market.units import s_to_ns
from agents.orders.lifecycle import State
from agents.orders.reconcile import Leeway, SidePlan, Tolerance, fitting, reconcile_side
from agents.orders.tracked import TrackedOrder

D = Decimal
NOW_NS = s_to_ns(100.0)
TOLERANCE = Tolerance(
    share=0.25, step_bps=8.0, tick_px=0.01, age_min_ns=s_to_ns(0.3), mid_px=1_000.0
)
# At 8 bps of 1000 the first level may be 0.2 too near and 0.6 too far.


def _live(
    px: str, *, sz: str = "1", state: State = State.OPEN, age_s: float = 10.0
) -> TrackedOrder:
    return TrackedOrder(
        cloid=Cloid(px),
        side=Side.BID,
        px=D(px),
        sz=D(sz),
        near_px=float(px),
        sent_ns=NOW_NS - s_to_ns(age_s),
        state=state,
    )


def _wanted(*pxs: str) -> list[Quote]:
    return [Quote(side=Side.BID, px=D(px), sz=D(1)) for px in pxs]


def _plan(
    wanted: Sequence[Quote],
    live: Sequence[TrackedOrder],
    *,
    reduce_only: bool = False,
    tolerance: Tolerance = TOLERANCE,
) -> SidePlan:
    return reconcile_side(
        side=Side.BID,
        wanted=wanted,
        live=live,
        fair_px=1_000.0,
        tolerance=tolerance,
        reduce_only=reduce_only,
        now_ns=NOW_NS,
    )


def _cancelled(plan: SidePlan) -> list[str]:
    return [str(order.px) for order in plan.cancel]


def _placed(plan: SidePlan) -> list[str]:
    return [str(quote.px) for quote in plan.place]


def _idle(plan: SidePlan) -> bool:
    """Whether there is nothing to do and nothing to wait for."""
    return msgspec.structs.replace(plan, leeway=None) == SidePlan()


def test_nothing_to_do_does_nothing() -> None:
    assert _idle(_plan(_wanted("999.2", "998.8"), [_live("998.8"), _live("999.2")]))
    assert _idle(_plan([], []))


def test_what_is_kept_tells_how_far_prices_may_go() -> None:
    assert _plan([], []).leeway == Leeway()
    assert _plan(_wanted("999.2"), []).leeway is None
    # Half of 0.2, by which the order may be too near, and of 0.6, by which it may be too far.
    found = _plan(_wanted("999.2"), [_live("999.2")]).leeway
    assert found is not None
    assert found.fair_low_px == pytest.approx(999.9)
    assert found.fair_high_px == pytest.approx(1_000.3)
    assert found.mid_high_px == math.inf
    # In a band of 11 bps the mid may go half of the way to where the order leaves it.
    band = msgspec.structs.replace(TOLERANCE, first_max_bps=11.0)
    found = _plan(_wanted("999.2"), [_live("999.2")], tolerance=band).leeway
    assert found is not None
    assert found.mid_high_px == pytest.approx(1_000 + 0.5 * (999.2 / 0.9989 - 1_000))


def test_an_empty_side_is_filled_and_an_unwanted_one_emptied() -> None:
    assert _placed(_plan(_wanted("999.2", "998.8"), [])) == ["999.2", "998.8"]
    assert _cancelled(_plan([], [_live("999.2")])) == ["999.2"]


@pytest.mark.parametrize(
    ("px", "age_s", "acts", "deferred"),
    [
        ("999.39", 0.1, False, False),  # nearer, within tolerance
        ("999.41", 0.1, True, False),  # too aggressive: at once, however young
        ("998.61", 10.0, False, False),  # further, within the wider tolerance
        ("998.59", 10.0, True, False),
        ("998.59", 0.1, False, True),  # too passive, and young: waits
    ],
)
def test_too_aggressive_acts_now_and_too_passive_waits(
    px: str, age_s: float, acts: bool, deferred: bool
) -> None:
    plan = _plan(_wanted("999.2"), [_live(px, age_s=age_s)])
    assert bool(plan.cancel) is acts
    assert bool(plan.place) is acts
    assert plan.deferred is deferred


@pytest.mark.parametrize(("px", "stays"), [("998.91", True), ("998.89", False)])
def test_the_first_level_is_followed_before_it_leaves_the_band(px: str, stays: bool) -> None:
    band = msgspec.structs.replace(TOLERANCE, first_max_bps=11.0)
    assert _idle(_plan(_wanted("999.2"), [_live(px)], tolerance=band)) is stays


def test_a_first_level_wanted_beyond_the_band_is_not_chased() -> None:
    band = msgspec.structs.replace(TOLERANCE, first_max_bps=5.0)
    assert _idle(_plan(_wanted("999.2"), [_live("999.19")], tolerance=band))


@pytest.mark.parametrize(
    ("px", "stays"),
    [
        ("999.1", True),  # 0.7 nearer than wanted: too near for a first level, not behind it
        ("997.21", True),  # and 1.2 further
        ("997.19", False),
    ],
)
def test_levels_behind_the_first_are_left_alone_for_longer(px: str, stays: bool) -> None:
    plan = _plan(_wanted("999.2", "998.4"), [_live("999.2"), _live(px)])
    assert _idle(plan) is stays


def test_no_level_stands_nearer_than_the_first_one_may() -> None:
    plan = _plan(_wanted("999.2", "998.8"), [_live("999.2"), _live("999.41")])
    assert _cancelled(plan) == ["999.41"]


def test_a_ladder_that_moved_by_a_level_keeps_all_but_one() -> None:
    live = [_live("999.6"), _live("999.2"), _live("998.8")]
    plan = _plan(_wanted("999.2", "998.8", "998.4"), live)
    assert _cancelled(plan) == ["999.6"]
    assert _placed(plan) == ["998.4"]


def test_the_level_that_filled_is_placed_again() -> None:
    plan = _plan(_wanted("999.2", "998.8", "998.2"), [_live("998.8"), _live("998.2")])
    assert _placed(plan) == ["999.2"]
    assert plan.cancel == ()


def test_a_sent_order_is_waited_for_and_never_cancelled() -> None:
    plan = _plan(_wanted("999.2"), [_live("999.9", state=State.SENT)])
    assert plan == SidePlan(deferred=True)
    assert _plan([], [_live("999.9", state=State.SENT)]).cancel == ()


@pytest.mark.parametrize("state", [State.CANCELING, State.UNKNOWN])
def test_what_is_on_its_way_out_or_in_doubt_is_not_counted_on(state: State) -> None:
    plan = _plan(_wanted("999.2"), [_live("999.2", state=state)])
    assert _placed(plan) == ["999.2"]
    assert plan.cancel == ()


@pytest.mark.parametrize(("filled", "replaced"), [("0.4", False), ("0.6", True)])
def test_a_half_eaten_order_is_renewed(filled: str, replaced: bool) -> None:
    order = _live("999.2")
    order.filled_sz = D(filled)
    assert bool(_plan(_wanted("999.2"), [order]).cancel) is replaced


def test_too_much_size_is_replaced() -> None:
    assert _cancelled(_plan(_wanted("999.2"), [_live("999.2", sz="1.2")])) == ["999.2"]


def test_reduce_only_orders_are_a_kind_of_their_own() -> None:
    plan = _plan(_wanted("999.2"), [_live("999.2")], reduce_only=True)
    assert _cancelled(plan) == ["999.2"]
    assert _placed(plan) == ["999.2"]


def test_fitting_takes_what_the_room_holds_and_never_meets_our_other_side() -> None:
    quotes = _wanted("999.2", "998.8", "998.4")
    assert len(fitting(quotes, room_sz=D(2), own_opposite_px=None)) == 2
    meeting = fitting(quotes, room_sz=D(9), own_opposite_px=D("999.2"))
    assert [str(quote.px) for quote in meeting] == ["998.8", "998.4"]
    asks = [Quote(side=Side.ASK, px=D("999"), sz=D(1))]
    assert fitting(asks, room_sz=D(9), own_opposite_px=D("999")) == ()


def test_a_passive_order_whose_place_is_worth_more_stays() -> None:
    asked: list[tuple[float, float]] = []

    def stays(_order: TrackedOrder, px: float, off_bps: float) -> bool:
        asked.append((px, off_bps))
        return True

    live = [_live("998.0")]
    plan = reconcile_side(
        side=Side.BID, wanted=_wanted("999.2"), live=live, fair_px=1_000.0, tolerance=TOLERANCE,
        reduce_only=False, now_ns=NOW_NS, stays=stays,
    )  # fmt: skip
    assert not plan.cancel
    assert not plan.deferred
    ((px, off_bps),) = asked
    assert px == 999.2
    assert off_bps == pytest.approx(12.0)


def test_no_place_keeps_an_order_that_is_too_aggressive_or_of_another_size() -> None:
    for live in (_live("999.8"), _live("998.0", sz="3")):
        plan = reconcile_side(
            side=Side.BID, wanted=_wanted("999.2"), live=[live], fair_px=1_000.0,
            tolerance=TOLERANCE, reduce_only=False, now_ns=NOW_NS, stays=lambda *_: True,
        )  # fmt: skip
        assert plan.cancel == (live,)


def test_each_pair_of_a_plan_says_whose_place_is_taken() -> None:
    live = [_live("999.8"), _live("990.0")]
    wanted = _wanted("999.2")
    plan = _plan(wanted, live)
    assert plan.place_of(wanted[0]) == live[0].cloid
    assert set(_cancelled(plan)) == {"999.8", "990.0"}
