"""Gaps become stalls, and are counted, kept and forgotten as they should."""

from pathlib import Path

from agents.runtime.loops import MINUTE_S, Stall, Stalls, read


def test_gaps_are_counted_once_they_are_stalls() -> None:
    stalls = Stalls()
    assert not stalls.note(1.0, 100.0, None, 1)
    assert stalls.note(2.0, 140.0, 60.0, 2)
    assert stalls.note(3.0, 130.0, 0.0, 3)
    assert (stalls.stalls, stalls.own_stalls) == (2, 1)
    assert (stalls.worst_ms, stalls.worst_own_ms) == (140.0, 130.0)
    assert stalls.last[-1] == Stall(3, 130.0, 0.0)


def test_the_worst_of_the_last_minute_is_forgotten_and_the_worst_is_not() -> None:
    stalls = Stalls()
    stalls.note(10.0, 250.0, None, 1)
    stalls.note(10.5, 30.0, None, 1)
    assert stalls.minute_worst_ms(10.9) == 250.0
    for second in range(11, 11 + 3 * MINUTE_S):
        stalls.note(float(second), 21.0, None, 1)
    assert stalls.minute_worst_ms(11.0 + 3 * MINUTE_S) == 21.0
    assert stalls.worst_ms == 250.0


def test_a_minute_without_a_turn_has_no_worst() -> None:
    stalls = Stalls()
    stalls.note(10.0, 250.0, None, 1)
    assert stalls.minute_worst_ms(10.0 + 2 * MINUTE_S) == 0.0


def test_what_is_no_view_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json") is None
    (tmp_path / "torn.json").write_text('{"pid"')
    assert read(tmp_path / "torn.json") is None
