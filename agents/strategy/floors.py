"""What a half-spread may not be below, each floor by name; the highest binds."""

import math

import msgspec


class Floor(msgspec.Struct, frozen=True, gc=False):
    """The floor that binds."""

    name: str
    bps: float


def binding_floor(
    *,
    configured_bps: float,
    maker_fee_bps: float,
    edge_min_bps: float,
    tick_bps: float,
    sigma_bps: float,
    latency_s: float,
    adverse_bps: float = 0.0,
) -> Floor:
    """The highest of: the operator's own, fee plus edge, adverse selection, one tick, latency.

    Latency: while a quote is on its way the price moves; sigma * sqrt(2 * latency) covers the trip
    of the news in and of the order out. Adverse selection: fee plus edge plus ``adverse_bps``, what
    the mid takes from a maker at the very least, by the lower end of its estimate.
    """
    edge_bps = maker_fee_bps + edge_min_bps
    floor = Floor("configured", configured_bps)
    for name, bps in (
        ("edge", edge_bps),
        ("adverse", edge_bps + adverse_bps if adverse_bps > 0 else 0.0),
        ("tick", tick_bps),
        ("latency", sigma_bps * math.sqrt(2 * latency_s)),
    ):
        if bps > floor.bps:
            floor = Floor(name, bps)
    return floor
