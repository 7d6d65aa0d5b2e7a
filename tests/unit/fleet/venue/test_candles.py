"""Candles: minutes add up to every interval, bars start where the venue's do."""

from decimal import Decimal

import pytest

from agents.sim.outputs import UnknownRequest
from fleet.venue.candles import Candles, start_of
from fleet.venue.subscriptions import INTERVALS

START_MS = 1_799_971_200_000  # a Thursday's midnight


def traded() -> Candles:
    candles = Candles()
    for minute, px in enumerate(("100", "103.5", "99", "101")):
        candles.add("BTC", Decimal(px), Decimal("0.5"), START_MS + minute * 60_000 + 59_999)
    return candles


def asked(interval: object, **changes: object) -> dict[str, object]:
    return {"req": {"coin": "BTC", "interval": interval, "startTime": START_MS, **changes}}


def test_minutes_add_up() -> None:
    rows = traded().answer(asked("3m"), START_MS + 240_000)
    assert isinstance(rows, list)
    first, second = rows
    assert first == {
        "t": START_MS,
        "T": START_MS + 179_999,
        "s": "BTC",
        "i": "3m",
        "o": "100",
        "c": "99",
        "h": "103.5",
        "l": "99",
        "v": "1.5",
        "n": 3,
    }
    assert (second["t"], second["n"]) == (START_MS + 180_000, 1)


@pytest.mark.parametrize("interval", sorted(INTERVALS))
def test_every_interval_holds_the_moment(interval: str) -> None:
    row = traded().row("BTC", interval, START_MS + 200_000)
    assert row is not None
    assert isinstance(row["t"], int)
    assert isinstance(row["T"], int)
    assert row["t"] <= START_MS + 200_000 <= row["T"]
    assert start_of(interval, row["t"]) == row["t"]
    assert start_of(interval, row["T"] + 1) == row["T"] + 1


def test_weeks_start_on_monday() -> None:
    assert (START_MS - start_of("1w", START_MS)) % 86_400_000 == 0
    assert START_MS - start_of("1w", START_MS) == 86_400_000 * ((START_MS // 86_400_000 + 3) % 7)


def test_times_bound_the_answer_and_silence_is_empty() -> None:
    later = asked("1m", startTime=START_MS + 60_000, endTime=START_MS + 120_000)
    rows = traded().answer(later, START_MS + 240_000)
    assert isinstance(rows, list)
    assert [row["t"] - START_MS for row in rows] == [60_000, 120_000]
    assert traded().row("ETH", "1m", START_MS) is None
    assert traded().answer(asked("1m", coin="ETH"), START_MS) == []


@pytest.mark.parametrize(
    "request_", [{}, {"req": 1}, asked("7m"), asked(3), asked("1m", startTime="0")]
)
def test_a_shape_that_is_none_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(UnknownRequest):
        traded().answer(request_, START_MS)
