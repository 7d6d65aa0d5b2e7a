"""Conversions between units; the only place where their factors stand."""

from typing import Final

BPS: Final = 10_000.0
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
MS_PER_S: Final = 1_000


def px_to_bps(px_delta: float, *, reference_px: float) -> float:
    """A price difference as bps of ``reference_px``."""
    return px_delta / reference_px * BPS


def bps_to_px(bps: float, *, reference_px: float) -> float:
    """So many bps of ``reference_px`` as a price difference."""
    return bps / BPS * reference_px


def s_to_ns(seconds: float) -> int:
    """Float seconds (settings) to integer nanoseconds (time in code)."""
    return round(seconds * NS_PER_S)
