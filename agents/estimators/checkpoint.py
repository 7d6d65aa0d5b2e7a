"""What of the beliefs outlives a process: versioned, aged, and never a drift or a flag."""

from typing import Final

import msgspec

from agents.estimators.carried import (
    ExposureHeld,
    IntensityHeld,
    MarkoutsHeld,
    SeasonalityHeld,
    VolatilityHeld,
)
from agents.market.types import Coin
from agents.market.units import MS_PER_S

VERSION: Final = 1
AGE_MAX_S: Final = 3_600.0
AHEAD_MAX_S: Final = 5.0


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sums by estimator, as of ``saved_ms`` (venue time). Prices, coefficients of the fair price,
    momentum, readiness and every other flag are absent: they are learned or derived anew.
    """

    version: int
    coin: Coin
    saved_ms: int
    medium: VolatilityHeld
    slow: VolatilityHeld
    intensity: IntensityHeld
    exposure: ExposureHeld
    own_markouts: MarkoutsHeld
    public_markouts: MarkoutsHeld
    seasonality: SeasonalityHeld


class CheckpointRefused(Exception):
    """A checkpoint that must not be taken; the text says why."""


def encode(checkpoint: Checkpoint) -> bytes:
    """As JSON, the same bytes for the same beliefs."""
    return msgspec.json.encode(checkpoint, order="deterministic")


def decode(raw: bytes, *, coin: Coin, now_ms: int) -> tuple[Checkpoint, float]:
    """A checkpoint of this coin and version, and its age in s. Raises CheckpointRefused.

    The venue's clock, which dated it, may be some seconds ahead of ours.
    """
    try:
        version = msgspec.json.decode(raw, type=_Versioned).version
        if version != VERSION:
            raise CheckpointRefused(f"checkpoint of version {version}; this is version {VERSION}")
        found = msgspec.json.decode(raw, type=Checkpoint)
    except msgspec.DecodeError as error:
        raise CheckpointRefused(f"no checkpoint: {error}") from error
    if found.coin != coin:
        raise CheckpointRefused(f"checkpoint of {found.coin}, not of {coin}")
    age_s = (now_ms - found.saved_ms) / MS_PER_S
    if not -AHEAD_MAX_S <= age_s <= AGE_MAX_S:
        raise CheckpointRefused(f"checkpoint is {age_s:.0f} s old; at most {AGE_MAX_S:.0f} s")
    return found, max(age_s, 0.0)


class _Versioned(msgspec.Struct):
    version: int
