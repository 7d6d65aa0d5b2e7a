"""``fleet pnl``: the times that ``--since`` takes, and where hours are cut."""

import pytest

from fleet.cli.failure import Failure
from fleet.cli.pnl import HOUR_MS, edges, parsed

NOW = 1_800_000_000_000  # 2027-01-15T08:00Z


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("30m", NOW - 1_800_000),
        ("24h", NOW - 24 * HOUR_MS),
        ("2d", NOW - 48 * HOUR_MS),
        ("today", NOW - 8 * HOUR_MS),
        ("2027-01-15T07:00", NOW - HOUR_MS),
        ("2027-01-15T08:00:00+01:00", NOW - HOUR_MS),
    ],
)
def test_since(text: str, ms: int) -> None:
    assert parsed(text, NOW) == ms


def test_a_since_that_is_no_time() -> None:
    with pytest.raises(Failure, match="--since soon: no time; write 24h") as caught:
        parsed("soon", NOW)
    assert caught.value.exit_code == 3


def test_hours_are_cut_at_full_hours() -> None:
    assert edges(NOW - HOUR_MS - 5, NOW + 5, "hour") == [
        NOW - HOUR_MS - 5, NOW - HOUR_MS, NOW, NOW + 6,
    ]  # fmt: skip
    assert edges(NOW - 5, NOW, "market") == [NOW - 5, NOW + 1]
    with pytest.raises(Failure, match="hours are too many"):
        edges(0, NOW, "hour")
