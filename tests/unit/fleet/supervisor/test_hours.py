"""Hours of trading: sessions, holidays, nights, the change of clocks, and reducing in time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from fleet.manifests.spec import ScheduleSpec
from fleet.supervisor.hours import closed

NEW_YORK = ScheduleSpec(hours="09:30-16:00", holidays=("2026-12-25",))
FUTURES = ScheduleSpec(
    hours="18:00-17:00", days=("sun", "mon", "tue", "wed", "thu"), reduce_before_s=600
)


def at(text: str) -> int:
    return round(
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp()
        * 1_000
    )


@pytest.mark.parametrize(
    ("schedule", "moment", "reason"),
    [
        (None, "2026-11-22T03:00", None),
        (NEW_YORK, "2026-11-20T09:29:59", "closed until 2026-11-20 09:30 America/New_York"),
        (NEW_YORK, "2026-11-20T09:30", None),
        (NEW_YORK, "2026-11-20T15:44:59", None),
        (NEW_YORK, "2026-11-20T15:45", "closed until 2026-11-23 09:30 America/New_York"),
        (NEW_YORK, "2026-11-22T12:00", "closed until 2026-11-23 09:30 America/New_York"),
        (NEW_YORK, "2026-12-25T12:00", "closed until 2026-12-28 09:30 America/New_York"),
        (NEW_YORK, "2026-03-09T09:30", None),  # clocks went on the night before
        (FUTURES, "2026-11-22T17:59", "closed until 2026-11-22 18:00 America/New_York"),
        (FUTURES, "2026-11-22T18:00", None),
        (FUTURES, "2026-11-23T03:00", None),
        (FUTURES, "2026-11-23T16:50", "closed until 2026-11-23 18:00 America/New_York"),
        (FUTURES, "2026-11-27T16:49", None),
        (FUTURES, "2026-11-27T17:30", "closed until 2026-11-29 18:00 America/New_York"),
    ],
)
def test_hours(schedule: ScheduleSpec | None, moment: str, reason: str | None) -> None:
    assert closed(schedule, at(moment)) == reason


@pytest.mark.parametrize(
    "change",
    [
        {"hours": "00:00-11:00"},
        {"timezone": "Asia/Tokyo"},
        {"days": ("sat",)},
        {"holidays": ("2026-11-20",)},
        {"reduce_before_s": 20_000},
    ],
)
def test_every_leaf_closes_it(change: dict[str, object]) -> None:
    assert closed(NEW_YORK, at("2026-11-20T12:00")) is None
    assert closed(msgspec.structs.replace(NEW_YORK, **change), at("2026-11-20T12:00")) is not None
