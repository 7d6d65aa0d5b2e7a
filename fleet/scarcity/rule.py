"""The quote rule in numbers: how far from its wanted distance each level's order may be.

The same as ``agents.handlers.thrift`` and ``agents.orders.reconcile``, without orders and prices on
a grid; a property test holds them together.
"""

import math
from typing import Final

import msgspec

from agents.market.units import BPS
from agents.orders.reconcile import BEHIND_SHARE, PASSIVE_SHARE
from agents.orders.worth import drift_bps, near_bps, placing_usd, worth_placing
from agents.strategy.presence import kept_max_bps
from fleet.gateway.core.request_price import Terms
from fleet.scarcity.flow import Flow

HALF_MAX_BPS: Final = 50.0
LATENCY_S: Final = 0.25


class Strategy(msgspec.Struct, frozen=True):
    """What of the manifest's strategy matters here, with its defaults, and the half-spread."""

    half_bps: float
    skew_bps: float
    fee_bps: float = 1.5
    clip_usd: float = 200.0
    levels: int = 5
    level_ratio: float = 1.5
    share: float = 0.25
    tick_bps: float = 0.1
    clips_max: int = 10

    def distances(self) -> list[float]:
        """Of each level from the fair price, without inventory."""
        return [self.half_bps * self.level_ratio**at for at in range(self.levels)]

    def shifted(self, shift_bps: float) -> list[float]:
        """By inventory; never so near that a fill would not pay its fee."""
        return [max(distance + shift_bps, self.fee_bps) for distance in self.distances()]


class Band(msgspec.Struct, frozen=True):
    """An order stays while its distance from the fair price is between ``least`` and ``most``."""

    least: float
    most: float


class Bands(msgspec.Struct, frozen=True):
    """One for each level; only ``levels_max`` are placed."""

    levels: tuple[Band, ...]
    levels_max: int


def bands(strategy: Strategy, flow: Flow, terms: Terms, shift_bps: float = 0.0) -> Bands:
    """``shift_bps``: by how much inventory moves the whole side outwards."""
    drift, near, levels_max = 0.0, 0.0, strategy.levels
    kept = kept_max_bps(strategy.half_bps)
    if terms.request_usd > 0.0:
        drift = min(_drift(strategy, flow, terms.request_usd), HALF_MAX_BPS)
        fee_bps = max(strategy.fee_bps - terms.request_usd * BPS, 0.0)
        room = strategy.half_bps - fee_bps - flow.sigma_bps * math.sqrt(2 * LATENCY_S)
        near = min(near_bps(drift, flow.kappa_per_bps), max(room, 0.0))
        levels_max = min(
            math.ceil(strategy.levels * terms.levels_share),
            _worth(strategy, flow, drift, terms.request_usd),
        )
    wanted = strategy.shifted(shift_bps)
    least_first = wanted[0] - _allowed(strategy, wanted[0], strategy.share, near)
    found = []
    for at, distance in enumerate(wanted):
        share = strategy.share * (BEHIND_SHARE if at else 1.0)
        least = max(distance - _allowed(strategy, distance, share, near), least_first)
        passive = _allowed(strategy, distance, strategy.share * PASSIVE_SHARE, drift)
        if at == 0:
            passive = min(passive, max(kept - distance, strategy.tick_bps))
        found.append(Band(least, math.inf if at >= levels_max else distance + passive))
    return Bands(tuple(found), levels_max)


def exact(strategy: Strategy, shift_bps: float = 0.0) -> Bands:
    """The naive requoter: every order where it is wanted, to a tick."""
    wanted = strategy.shifted(shift_bps)
    tick = strategy.tick_bps
    return Bands(tuple(Band(d - tick, d + tick) for d in wanted), strategy.levels)


def _allowed(strategy: Strategy, distance: float, share: float, least: float) -> float:
    return max(share * max(abs(distance), strategy.half_bps), strategy.tick_bps, least)


def _drift(strategy: Strategy, flow: Flow, price_usd: float) -> float:
    a = flow.fills_per_s * flow.share
    return drift_bps(
        price_usd=price_usd,
        sigma_bps=flow.sigma_bps,
        rate_per_s=a * math.exp(-flow.kappa_per_bps * strategy.half_bps),
        kappa_per_bps=flow.kappa_per_bps,
        notional_usd=strategy.clip_usd,
    )


def _worth(strategy: Strategy, flow: Flow, drift: float, price_usd: float) -> int:
    values = [
        placing_usd(
            distance_bps=distance,
            drift_bps=drift,
            sigma_bps=flow.sigma_bps,
            fills_per_s=flow.fills_per_s * flow.share,
            kappa_per_bps=flow.kappa_per_bps,
            notional_usd=strategy.clip_usd,
        )
        for distance in strategy.distances()
    ]
    return worth_placing(values, price_usd)
