"""The manifest's ``schedule``: when a market that has hours of trading is quoted."""

from datetime import date
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fleet.manifests.section import Section

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri")


def _zone(value: Any) -> Any:  # noqa: ANN401  # any YAML value may stand here
    if isinstance(value, str):
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            text = f"{value!r} is no time zone that is known here"
            mend = "write one such as America/New_York or UTC"
            raise PydanticCustomError("fleet", text, {"mend": mend}) from None
    return value


def _date(value: Any) -> Any:  # noqa: ANN401  # any YAML value may stand here
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            text = f"{value!r} is no date"
            mend = "write one such as 2026-12-25"
            raise PydanticCustomError("fleet", text, {"mend": mend}) from None
    return value


class Schedule(Section):
    """Hours in which the market is quoted; outside of them it is drained, and waits."""

    hours: str = Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="from when to when, by the time zone; past midnight where the end is earlier",
        examples=["09:30-16:00"],
    )
    timezone: Annotated[str, BeforeValidator(_zone)] = Field(
        default="America/New_York", description="the time zone of the hours"
    )
    days: list[Day] = Field(
        default_factory=lambda: list(WEEKDAYS),
        min_length=1,
        description="the days on which it opens",
    )
    holidays: list[Annotated[date, BeforeValidator(_date)]] = Field(
        default_factory=list, description="dates on which it does not", examples=["[2026-12-25]"]
    )
    reduce_before_s: float = Field(
        default=900.0,
        ge=0,
        le=43_200,
        description="how long before the close it only reduces, in s",
    )
