"""The weight of one minute."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.weight import (
    FOR_LESS,
    MINUTE_MS,
    RESERVE,
    WEIGHT_MAX,
    WeightMeter,
    action_weight,
    info_weight,
    rows_weight,
)


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 60)), max_size=80))
def test_the_meter_never_forgets_too_early_by_more_than_a_bucket(
    spent: list[tuple[int, int]],
) -> None:
    meter, now_ms = WeightMeter(), 0
    times = []
    for step_ms, weight in spent:
        now_ms += step_ms
        meter.add(weight, now_ms)
        times.append((now_ms, weight))
    held = meter.used_share(now_ms) * WEIGHT_MAX
    least = sum(w for at, w in times if at > now_ms - MINUTE_MS + 100)
    most = sum(w for at, w in times if at > now_ms - MINUTE_MS)
    assert least - 1e-6 <= held <= most + 1e-6


def test_weights_are_the_venues() -> None:
    assert info_weight("clearinghouseState") == 2
    assert info_weight("frontendOpenOrders") == 20
    assert info_weight("userRole") == 60
    assert [rows_weight("userFillsByTime", n) for n in (19, 20, 2_000)] == [0, 1, 100]
    assert rows_weight("clearinghouseState", 100) == 0
    assert [action_weight(n) for n in (1, 39, 40, 80)] == [1, 1, 2, 3]


def test_the_reserve_is_left_alone_until_the_minute_is_over() -> None:
    meter = WeightMeter()
    meter.add(WEIGHT_MAX - RESERVE - 1, 0)
    assert meter.leaves_reserve(1, 1_000)
    assert not meter.leaves_reserve(2, 1_000)
    assert meter.leaves_reserve(WEIGHT_MAX - RESERVE, MINUTE_MS)


def test_new_risk_leaves_weight_for_what_takes_risk_away() -> None:
    meter = WeightMeter()
    meter.add(WEIGHT_MAX - RESERVE - FOR_LESS, 0)
    assert not meter.leaves_reserve(1, 1_000, adding=True)
    assert meter.leaves_reserve(FOR_LESS, 1_000)
