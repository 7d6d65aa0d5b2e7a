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
) -> Floor:
    """The highest of: the operator's own, fee plus edge, one tick, and latency.

    Latency: while a quote is on its way the price moves; sigma * sqrt(2 * latency) covers the trip
    of the news in and of the order out.
    """
    latency_bps = sigma_bps * math.sqrt(2 * latency_s)
    edge_bps = maker_fee_bps + edge_min_bps
    name, bps = "configured", configured_bps
    if edge_bps > bps:
        name, bps = "edge", edge_bps
    if tick_bps > bps:
        name, bps = "tick", tick_bps
    if latency_bps > bps:
        name, bps = "latency", latency_bps
    return Floor(name=name, bps=bps)
