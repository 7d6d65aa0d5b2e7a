"""Requests are bought only at the cap, only when short, never beyond the day's limit."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.purse import CHUNK, DAY_MS, EVERY_MS, REFUSED_MS, Kept, Purse
from fleet.gateway.core.request_price import PRICE_MAX_USD

CHUNK_USD = CHUNK * PRICE_MAX_USD


def wants(purse: Purse, now_ms: int, **changed: float) -> int:
    asked = {"free": 0, "price_usd": PRICE_MAX_USD, **changed}
    return purse.wants(now_ms=now_ms, **asked)  # type: ignore[arg-type]


@given(st.floats(0, 20), st.lists(st.tuples(st.integers(0, 7_200_000), st.booleans()), max_size=80))
def test_never_more_than_the_limit_a_day(limit_usd: float, steps: list[tuple[int, bool]]) -> None:
    purse, now_ms, paid = Purse(), 0, dict[int, float]()
    purse.allow(limit_usd)
    for step_ms, bought in steps:
        now_ms += step_ms
        purse = Purse(purse.kept) if step_ms % 7 == 0 else purse  # a restart knows what was spent
        weight = wants(purse, now_ms)
        assert weight <= CHUNK
        if weight:
            purse.buying(weight, now_ms)
            purse.answered(now_ms, bought=bought)
            if bought:
                day = now_ms // DAY_MS
                paid[day] = paid.get(day, 0.0) + weight * PRICE_MAX_USD
        assert all(usd <= limit_usd + 1e-9 for usd in paid.values())


def test_only_at_the_cap_and_spread_over_the_day() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=2.4))
    assert wants(purse, 0, price_usd=PRICE_MAX_USD / 2) == 0
    assert wants(Purse(), 0) == 0
    bought_ms = []
    for minute in range(24 * 60):
        now_ms = minute * 60_000
        if weight := wants(purse, now_ms, free=5_000):
            purse.buying(weight, now_ms)
            purse.answered(now_ms, bought=True)
            bought_ms.append(now_ms)
    assert len(bought_ms) == round(2.4 / CHUNK_USD)
    assert min(b - a for a, b in pairwise(bought_ms)) >= 3_500_000
    assert bought_ms[-1] > 0.9 * DAY_MS


def test_at_once_where_nothing_is_free() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=2.4))
    purse.buying(CHUNK, 0)
    purse.answered(0, bought=True)
    assert wants(purse, EVERY_MS, free=1) == 0
    assert wants(purse, EVERY_MS, free=0) == CHUNK


def test_one_at_a_time_and_not_too_often() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=10.0))
    purse.buying(CHUNK, 0)
    assert wants(purse, EVERY_MS) == 0
    purse.answered(EVERY_MS, bought=True)
    assert wants(purse, EVERY_MS - 1) == 0
    assert wants(purse, EVERY_MS) == CHUNK
    assert purse.spent_usd(EVERY_MS) == CHUNK_USD


def test_what_was_refused_is_not_spent_and_not_asked_for_at_once() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=10.0))
    purse.buying(CHUNK, 0)
    purse.answered(1_000, bought=False)
    assert purse.spent_usd(1_000) == 0.0
    assert wants(purse, REFUSED_MS) == 0
    assert wants(purse, 1_000 + REFUSED_MS) == CHUNK


def test_what_was_never_answered_counts_as_spent() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=CHUNK_USD))
    purse.buying(CHUNK, 0)
    purse.unanswered()
    assert wants(purse, 2 * EVERY_MS) == 0
    assert wants(purse, DAY_MS) == CHUNK


def test_a_purchase_leaves_once() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=10.0))
    assert purse.take() == 0
    purse.buying(CHUNK, 0)
    assert (purse.take(), purse.take()) == (CHUNK, 0)
