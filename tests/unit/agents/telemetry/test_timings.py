"""Each duration falls into one bucket, an end belonging to the bucket below it."""

import pytest

from agents.telemetry.timings import BOUNDS_S, Timings, empty


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0), (-1.0, 0), (0.0001, 0), (0.00011, 1), (0.1, 9), (5.0, 14), (5.1, 15), (9e9, 15)],
)
def test_a_duration_falls_into_one_bucket(seconds: float, bucket: int) -> None:
    timing = empty()
    timing.note(seconds)
    assert timing.counts == [int(i == bucket) for i in range(len(BOUNDS_S) + 1)]
    assert timing.sum_s == max(0.0, seconds)


def test_names_are_kept_apart() -> None:
    timings = Timings()
    timings.note("ack", 0.2)
    timings.note("ack", 0.3)
    timings.note("gateway_in", 0.001)
    assert {name: timing.count for name, timing in timings.all().items()} == {
        "ack": 2,
        "gateway_in": 1,
    }
    assert timings.all()["ack"].sum_s == pytest.approx(0.5)
