"""Short memories forget in time, and not before."""

from agents.market.units import s_to_ns
from agents.risk.windows import Count, Range, Since


def test_a_range_holds_for_its_span() -> None:
    window = Range(s_to_ns(5.0))
    for tenth in range(40):
        window.add(100.0 + (tenth == 20) - 2 * (tenth == 30), s_to_ns(tenth / 10))
    assert window.high(s_to_ns(6.9)) == 101.0
    assert (window.low(s_to_ns(7.9)), window.high(s_to_ns(7.9))) == (98.0, 100.0)
    assert window.low(s_to_ns(9.0)) == 100.0
    assert window.high(s_to_ns(60.0)) is None


def test_a_leap_inside_one_slot_is_seen_both_ways() -> None:
    window = Range(s_to_ns(5.0))
    for value in (100.0, 101.0, 99.0):
        window.add(value, 1)
    assert (window.low(2), window.high(2)) == (99.0, 101.0)


def test_a_count_is_of_its_span() -> None:
    count = Count(s_to_ns(60.0))
    for second in (0, 10, 50):
        count.add(s_to_ns(second))
    assert [count.count(s_to_ns(second)) for second in (50, 60, 61, 111)] == [3, 3, 2, 0]


def test_a_break_begins_anew() -> None:
    since = Since()
    assert since.told(5, holds=True) == 0
    assert since.told(9, holds=True) == 4
    assert since.told(10, holds=False) is None
    assert since.told(12, holds=True) == 0
