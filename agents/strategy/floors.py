"""What a half-spread may not be below, each floor by name; the highest binds."""

import math
from collections.abc import Sequence

import msgspec


class Floor(msgspec.Struct, frozen=True, gc=False):
    """One floor by its name."""

    name: str
    bps: float


def floors(
    *,
    configured_bps: float,
    maker_fee_bps: float,
    edge_min_bps: float,
    tick_bps: float,
    sigma_bps: float,
    latency_s: float,
    adverse_bps: float = 0.0,
) -> tuple[Floor, ...]:
    """The operator's own, fee plus edge, adverse selection, one tick, latency; the highest binds.

    Latency: while a quote is on its way the price moves; sigma * sqrt(2 * latency) covers the trip
    of the news in and of the order out. Adverse selection: fee plus edge plus ``adverse_bps``, what
    the mid takes from a maker at the very least, by the lower end of its estimate.
    """
    edge_bps = maker_fee_bps + edge_min_bps
    return (
        Floor("configured", configured_bps),
        Floor("edge", edge_bps),
        Floor("adverse", edge_bps + adverse_bps if adverse_bps > 0 else 0.0),
        Floor("tick", tick_bps),
        Floor("latency", sigma_bps * math.sqrt(2 * latency_s)),
    )


def binding(candidates: Sequence[Floor]) -> Floor:
    """The highest; of equals the first named."""
    highest = candidates[0]
    for floor in candidates:
        if floor.bps > highest.bps:
            highest = floor
    return highest
