"""Whether a market's hours are over, and when they begin again. Pure.

A session belongs to the day on which it opens. It ends ``reduce_before_s`` before its close: then
the market drains, which takes as long as its ``drain`` says, and is started again at the open.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fleet.manifests.spec import FleetSpec, ScheduleSpec

CLOSED: Final = "closed until"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AHEAD: Final = 30


def closed(schedule: ScheduleSpec | None, now_ms: int) -> str | None:
    """Why it is not quoted, for people; None: it is, or has no hours."""
    if schedule is None:
        return None
    now = datetime.fromtimestamp(now_ms / 1_000, UTC)
    today = now.astimezone(ZoneInfo(schedule.timezone)).date()
    for ahead in range(-1, _AHEAD):
        opens, closes = _session(schedule, today + timedelta(days=ahead))
        if opens is None or closes is None or now >= closes:
            continue
        if now >= opens:
            return None
        return f"{CLOSED} {opens:%Y-%m-%d %H:%M} {schedule.timezone}"
    return f"{CLOSED} its schedule names another day"


def shut_now(spec: FleetSpec, now_ms: int) -> dict[str, str]:
    """The markets whose hours are over, with why."""
    told = {name: closed(hours, now_ms) for name, hours in spec.schedules.items()}
    return {name: reason for name, reason in told.items() if reason is not None}


def _session(schedule: ScheduleSpec, day: date) -> tuple[datetime, datetime] | tuple[None, None]:
    """When it opens on a day, and when it begins to reduce; None: not on this day."""
    if _DAYS[day.weekday()] not in schedule.days or day.isoformat() in schedule.holidays:
        return None, None
    first, _, last = schedule.hours.partition("-")
    zone = ZoneInfo(schedule.timezone)
    opens_at, closes_at = time.fromisoformat(first), time.fromisoformat(last)
    later = day if closes_at > opens_at else day + timedelta(days=1)
    opens = datetime.combine(day, opens_at, zone)
    closes = datetime.combine(later, closes_at, zone)
    # In UTC, or the hour that a change of clocks takes or gives would be lost.
    return opens, closes.astimezone(UTC) - timedelta(seconds=schedule.reduce_before_s)
