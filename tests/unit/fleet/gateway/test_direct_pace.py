"""After a 429 nothing is asked for a while: longer each time, drawn, never for ever."""

from fleet.gateway.direct_pace import FIRST_MS, LONGEST_MS, Pace


def waits(draw: float, times: int) -> list[int]:
    """How long each of so many refusals in a row silences it."""
    pace, now_ms, found = Pace(lambda: draw), 0, list[int]()
    for _ in range(times):
        pace.limited(now_ms)
        began_ms = now_ms
        while pace.holds(now_ms):
            now_ms += 1
        found.append(now_ms - began_ms)
    return found


def test_each_refusal_doubles_the_wait_up_to_its_longest() -> None:
    found = waits(1.0, 8)
    assert found[:3] == [FIRST_MS, 2 * FIRST_MS, 4 * FIRST_MS]
    assert found[-1] == found[-2] == LONGEST_MS


def test_the_wait_is_drawn_between_half_of_it_and_all_of_it() -> None:
    assert waits(0.0, 3) == [FIRST_MS // 2, FIRST_MS, 2 * FIRST_MS]


def test_those_sent_together_count_once_and_an_answer_begins_anew() -> None:
    pace = Pace(lambda: 1.0)
    for at_ms in (0, 1, 2):
        pace.limited(at_ms)
    assert not pace.holds(FIRST_MS)
    pace.answered(FIRST_MS)
    pace.limited(FIRST_MS)
    assert pace.holds(2 * FIRST_MS - 1)
    assert not pace.holds(2 * FIRST_MS)


def test_an_answer_that_comes_while_it_waits_does_not_shorten_the_next_wait() -> None:
    pace = Pace(lambda: 1.0)
    pace.limited(0)
    pace.answered(10)
    pace.limited(FIRST_MS)
    assert pace.holds(FIRST_MS + 2 * FIRST_MS - 1)
