"""Requests are bought only at the cap, only when short, never beyond the day's limit."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.purse import CHUNK, DAY_MS, EVERY_MS, REFUSED_MS, Kept, Purse
from fleet.gateway.core.request_price import PRICE_MAX_USD

CHUNK_USD = CHUNK * PRICE_MAX_USD


def wants(purse: Purse, now_ms: int, **changed: float) -> int:
    asked = {"free": 0, "burn_per_h": 5_000.0, "price_usd": PRICE_MAX_USD, **changed}
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


def test_only_at_the_cap_and_only_when_short() -> None:
    purse = Purse(Kept(buy_max_usd_per_day=10.0))
    assert wants(purse, 0) == CHUNK
    assert wants(purse, 0, price_usd=PRICE_MAX_USD / 2) == 0
    assert wants(purse, 0, free=10_000) == 0
    assert wants(purse, 0, free=9_999) == CHUNK
    assert wants(Purse(), 0) == 0


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
