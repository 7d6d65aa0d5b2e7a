"""The takers of one market: bursts that excite one another, and those who know the fair price."""

import math
from decimal import Decimal
from typing import Final

from agents.market.types import Coin, Side
from agents.market.units import BPS
from agents.sim.flow_maker import Door, lots, on_grid
from agents.sim.flow_price import Chance
from agents.sim.flow_profile import Profile
from agents.sim.market import RestingOrder

TAKER: Final = "flow:taker"
WAITING: Final = "flow:waiting"
REACH_MAX_BPS: Final = 12.0
EXCITE_SHARE: Final = 0.45
EXCITE_S: Final = 1.2
SAME_SIDE_SHARE: Final = 0.65
USD_MIN: Final = 11.0
INFORMED_SHARE: Final = 0.2
INFORMED_EDGE_BPS: Final = 0.4
INFORMED_TIMES: Final = 5.0
IMPACT_SHARE: Final = 0.02


class Takers:
    """Arrivals after Hawkes: rate = base + excited part, which decays within about a second.

    A burst is one order that sweeps the book; its notional is log-normal, its reach at most 12
    bps. It moves the fair price by a small part of its reach.
    """

    def __init__(self, coin: Coin, sz_decimals: int, character: Profile, chance: Chance) -> None:
        self.coin = coin
        self._sz_decimals = sz_decimals
        self._chance = chance
        # Each burst brings EXCITE_SHARE more: the base is what remains of the rate asked for.
        self._base_per_s = character.bursts_per_min / 60.0 * (1.0 - EXCITE_SHARE)
        self._median_usd = character.burst_usd
        self._sd = character.burst_sd
        self._max_usd = character.burst_max_usd
        self._reach_bps = max(REACH_MAX_BPS, 3.0 * character.half_spread_bps)
        self._edge = (INFORMED_EDGE_BPS + character.half_spread_bps) / BPS
        self._excited_per_s = 0.0
        self._last = Side.BID

    def step(self, door: Door, fair_px: float, dt_s: float, now_ms: int) -> float:
        """Trade, perhaps. Returns the lasting impact on the fair price in bps, signed."""
        self._excited_per_s *= math.exp(-dt_s / EXCITE_S)
        rate_per_s = self._base_per_s + self._excited_per_s
        impact_bps = 0.0
        if self._chance.random() < 1.0 - math.exp(-rate_per_s * dt_s):
            self._excited_per_s += EXCITE_SHARE / EXCITE_S
            impact_bps = self._burst(door, now_ms)
        if self._chance.random() < INFORMED_SHARE:
            self._correct(door, fair_px, now_ms)
        return impact_bps

    def sweep(self, door: Door, side: Side, usd: float, now_ms: int) -> None:
        """A holder who is forced out: one order against somebody who waits at the touch for it, so
        that a thin book is not left empty.
        """
        bid, ask = door.market(self.coin).touch()
        touch = ask if side is Side.BID else bid
        if touch is None:
            return
        px, sz = touch.px, lots(usd, float(touch.px), self._sz_decimals)
        waiting = RestingOrder(
            oid=door.next_oid(),
            owner=WAITING,
            side=side.opposite,
            px=px,
            sz=sz,
            orig_sz=sz,
            placed_ms=now_ms,
            tif="Alo",
        )
        door.place_flow(self.coin, waiting)
        self._take(door, side, float(px), 0.0, usd, now_ms)
        door.cancel_flow(self.coin, waiting.oid)

    def _burst(self, door: Door, now_ms: int) -> float:
        if self._chance.random() > SAME_SIDE_SHARE:
            self._last = self._last.opposite
        side = self._last
        bid, ask = door.market(self.coin).touch()
        if bid is None or ask is None:
            return 0.0
        mid_px = 0.5 * float(bid.px + ask.px)
        last_px = self._take(door, side, mid_px, self._reach_bps, self._usd(1.0), now_ms)
        return 0.0 if last_px is None else IMPACT_SHARE * (last_px / mid_px - 1.0) * BPS

    def _correct(self, door: Door, fair_px: float, now_ms: int) -> None:
        """Take what is quoted on the wrong side of the fair price."""
        bid, ask = door.market(self.coin).touch()
        edge = self._edge
        usd = self._usd(INFORMED_TIMES)
        if ask is not None and float(ask.px) < fair_px * (1.0 - edge):
            self._take(door, Side.BID, fair_px, 0.0, usd, now_ms)
        elif bid is not None and float(bid.px) > fair_px * (1.0 + edge):
            self._take(door, Side.ASK, fair_px, 0.0, usd, now_ms)

    def _usd(self, times: float) -> float:
        """The notional of one burst, at least what the venue takes."""
        usd = times * self._median_usd * self._chance.lognormvariate(0.0, self._sd)
        return max(USD_MIN, min(usd, self._max_usd))

    def _take(
        self, door: Door, side: Side, mid_px: float, reach_bps: float, usd: float, now_ms: int
    ) -> float | None:
        """One immediate order up to ``reach_bps`` from ``mid_px``; the last price it traded at."""
        limit_px = mid_px * (1.0 + side.sign * reach_bps / BPS)
        ticks, exponent = on_grid(limit_px, self._sz_decimals, up=side is Side.ASK)
        sz = lots(usd, mid_px, self._sz_decimals)
        order = RestingOrder(
            oid=door.next_oid(),
            owner=TAKER,
            side=side,
            px=Decimal(ticks).scaleb(exponent),
            sz=sz,
            orig_sz=sz,
            placed_ms=now_ms,
            tif="Ioc",
        )
        executions = door.place_flow(self.coin, order).executions
        return float(executions[-1].px) if executions else None
