"""Within the leeway of a plan that leaves all as it is, the next plan would do nothing either."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import assume, example, given
from hypothesis import strategies as st

from agents.market.types import Cloid, Quote, Side
from agents.market.units import s_to_ns
from agents.orders.lifecycle import State
from agents.orders.reconcile import SidePlan, Tolerance, reconcile_side
from agents.orders.tracked import TrackedOrder

NOW_NS = s_to_ns(100.0)
FAIR = Decimal(1_000)
CENT = Decimal("0.01")

offsets = st.integers(-80, 80)


@st.composite
def tolerances(draw: st.DrawFn) -> Tolerance:
    return Tolerance(
        share=draw(st.sampled_from([0.1, 0.25, 0.5])),
        step_bps=draw(st.sampled_from([2.0, 8.0])),
        tick_px=draw(st.sampled_from([0.01, 0.1])),
        age_min_ns=s_to_ns(0.3),
        mid_px=float(FAIR) + draw(st.integers(-20, 20)) / 100,
        first_max_bps=draw(st.sampled_from([5.0, 9.0, 14.0])),
        passive_px=draw(st.sampled_from([0.0, 0.5])),
        aggressive_px=draw(st.sampled_from([0.0, 0.5])),
        levels_max=draw(st.sampled_from([1, 5])),
    )


def _plan(
    side: Side,
    distances: Sequence[Decimal],
    live: Sequence[TrackedOrder],
    tolerance: Tolerance,
    moved_px: Decimal,
) -> SidePlan:
    fair = FAIR + moved_px
    wanted = [Quote(side, fair - side.sign * away, Decimal(1)) for away in distances]
    return reconcile_side(
        side=side, wanted=wanted, live=live, fair_px=float(fair), tolerance=tolerance,
        reduce_only=False, now_ns=NOW_NS,
    )  # fmt: skip


def _order(side: Side, px: Decimal, number: int) -> TrackedOrder:
    return TrackedOrder(
        cloid=Cloid(str(number)), side=side, px=px, sz=Decimal(1), near_px=float(px),
        sent_ns=0, state=State.OPEN,
    )  # fmt: skip


@example(  # wanted beyond the band's edge, and left because a tick is all that it is off by
    side=Side.BID, steps=[51], off=[1, 0, 0, 0, 0], fair_moves=1, mid_moves=-2,
    tolerance=Tolerance(
        share=0.1, step_bps=2.0, tick_px=0.01, age_min_ns=300_000_000, mid_px=1_000.0,
        first_max_bps=5.0, levels_max=1,
    ),
)  # fmt: skip
@given(
    side=st.sampled_from(Side),
    steps=st.lists(st.integers(10, 200), max_size=5),
    off=st.lists(offsets, min_size=5, max_size=5),
    tolerance=tolerances(),
    fair_moves=offsets,
    mid_moves=offsets,
)
def test_within_the_leeway_a_new_plan_would_do_nothing(
    side: Side,
    steps: list[int],
    off: list[int],
    tolerance: Tolerance,
    fair_moves: int,
    mid_moves: int,
) -> None:
    distances = [CENT * sum(steps[: at + 1]) for at in range(len(steps))]
    live = [
        _order(side, FAIR - side.sign * (away + CENT * off[at]), at)
        for at, away in enumerate(distances)
    ]
    first = _plan(side, distances, live, tolerance, Decimal(0))
    assume(first.leeway is not None)
    assert first.leeway is not None
    moved_px, mid_px = CENT * fair_moves, tolerance.mid_px + mid_moves / 100
    assume(first.leeway.holds(float(FAIR + moved_px), mid_px))
    then = _plan(side, distances, live, msgspec.structs.replace(tolerance, mid_px=mid_px), moved_px)
    assert not then.cancel
    assert not then.place
    assert not then.deferred
