"""Shapes of what estimators carry over a restart: sums and weights, none below 0, none infinite."""

from typing import Annotated, TypedDict

from msgspec import Meta

BINS: int = 18
HOURS: int = 168
HORIZONS: int = 3
CELLS: int = 8

Sum = Annotated[float, Meta(ge=0, le=1e15)]
Signed = Annotated[float, Meta(ge=-1e15, le=1e15)]
Reaches = Annotated[list[tuple[Sum, Sum, Sum]], Meta(min_length=BINS, max_length=BINS)]
Offered = tuple[list[tuple[Annotated[int, Meta(ge=0, le=1_000)], Sum, Sum]], Sum, Sum]
Mean = tuple[Annotated[int, Meta(ge=0)], Sum, Sum, Signed, Sum]
Cells = Annotated[list[Mean], Meta(min_length=CELLS, max_length=CELLS)]
Hours = Annotated[list[Sum], Meta(min_length=HOURS, max_length=HOURS)]


class VolatilityHeld(TypedDict):
    """Of squared returns and of their products, with the seconds that both weigh."""

    r2: Sum
    dt: Sum
    bv: Sum
    dt_pairs: Sum


class IntensityHeld(TypedDict):
    """Seconds watched, and bursts by reach: bids, asks."""

    watched: Sum
    watched_sq: Sum
    floor: Sum
    sides: tuple[Reaches, Reaches]


class ExposureHeld(TypedDict):
    """By side: seconds on offer by depth, fills, and their depths."""

    sides: tuple[Offered, Offered]


class MarkoutsHeld(TypedDict):
    """By horizon: means by side and depth, and by side."""

    means: Annotated[list[Cells], Meta(min_length=HORIZONS, max_length=HORIZONS)]
    sides: Annotated[list[tuple[Mean, Mean]], Meta(min_length=HORIZONS, max_length=HORIZONS)]


class SeasonalityHeld(TypedDict):
    """Bursts and hours watched by hour of the week."""

    bursts: Hours
    hours: Hours
