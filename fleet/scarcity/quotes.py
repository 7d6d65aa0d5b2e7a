"""One market's quotes through a day: fills, what a decision wants, and how it went."""

import math
from collections.abc import Callable
from typing import Final

import msgspec

from agents.market.units import BPS
from agents.strategy.glft import glft
from agents.strategy.presence import band_bps
from fleet.gateway.core.request_price import Terms
from fleet.scarcity.flow import Flow, Path
from fleet.scarcity.rule import Bands, Strategy, bands, exact

RISK_AVERSION: Final = 0.3
TAKER_FEE_BPS: Final = 2.4
"""Of the keenest: who takes an order that the price has passed must earn it."""
SIDES: Final = (1, -1)
"""+1 our bids, -1 our asks."""


def strategy_of(flow: Flow, clip_usd: float) -> Strategy:
    """Half-spread and skew by GLFT, the fee and what a taker moves the price by on top."""
    spread = glft(
        sigma_bps=flow.sigma_bps, kappa_per_bps=flow.kappa_per_bps,
        fills_per_s=flow.fills_per_s * flow.share, risk_aversion=RISK_AVERSION,
    )  # fmt: skip
    fee_bps = Strategy(half_bps=1.0, skew_bps=0.0).fee_bps
    half_bps = min(spread.half_spread_bps, 5.0) + fee_bps + flow.impact_bps
    return Strategy(half_bps=half_bps, skew_bps=spread.skew_bps, clip_usd=clip_usd)


class Wish(msgspec.Struct, frozen=True):
    """What a decision wants: cancel these (side, level), then place those at these prices."""

    cancels: tuple[tuple[int, int], ...]
    places: tuple[tuple[int, int, float], ...]
    adding: bool


class Market:
    """Orders by side and level, in bps of price; one clip each."""

    def __init__(self, flow: Flow, path: Path, clip_usd: float) -> None:
        self.flow, self.path = flow, path
        self.strategy = strategy_of(flow, clip_usd)
        levels = self.strategy.levels
        self.orders: dict[int, list[float | None]] = {s: [None] * levels for s in SIDES}
        self.placed_s = dict.fromkeys(SIDES, -math.inf)
        self.clips = 0
        self.fills = 0
        self.up_s = 0
        self._edge_bps = 0.0
        self._low = self._high = 0.0  # of the fair price, between which nothing is to be decided
        self._up: tuple[float, float] = (math.inf, -math.inf)
        self._terms: Terms | None = None
        self._bands: dict[tuple[int, int], Bands] = {}
        self.dirty = True

    # ── what happens ─────────────────────────────────────────────────────────────────────────

    def second(self, now_s: int, filled: Callable[[], None]) -> bool:
        """Fills of this second; whether something is to be decided."""
        fair = self.path.fair_bps[now_s]
        takers = self.path.takers.get(now_s)
        if takers is not None:
            before = self.path.fair_bps[now_s - 1]
            for taker in takers:
                seen = before, taker.reach_bps
                self._taken(-taker.sign, now_s, seen, taker.clips, filled)
        if not self._low < fair < self._high:
            for side in SIDES:  # gone so far through them that it pays a taker's fee
                self._taken(side, now_s, (fair, -TAKER_FEE_BPS), self.strategy.levels, filled)
            self.dirty = True
        if self._up[0] <= fair <= self._up[1]:
            self.up_s += 1
        return self.dirty

    def _taken(
        self,
        side: int,
        now_s: int,
        seen: tuple[float, float],
        clips: int,
        filled: Callable[[], None],
    ) -> None:
        """``seen``: the fair price that takers saw, and how far from it they reach."""
        fair, reach = seen
        orders, after = self.orders[side], self.path.fair_bps[now_s]
        near = sorted(
            (side * (fair - px), at) for at, px in enumerate(orders)
            if px is not None and side * (fair - px) <= reach
        )  # fmt: skip
        for _, at in near[:clips]:
            px = orders[at]
            assert px is not None
            orders[at] = None
            self.clips += side
            self.fills += 1
            self._edge_bps += side * (after - px) - self.strategy.fee_bps
            self.dirty = True
            filled()

    # ── what is wanted ───────────────────────────────────────────────────────────────────────

    def wish(self, now_s: int, terms: Terms | None) -> Wish:
        """``terms`` None: the naive requoter."""
        if terms != self._terms:
            self._terms, self._bands = terms, {}
        fair = self.path.fair_bps[now_s]
        cancels: list[tuple[int, int]] = []
        places: list[tuple[int, int, float]] = []
        for side in SIDES:
            shift = side * self.clips * self.strategy.skew_bps
            held, kept = self._bands_of(side), self.orders[side]
            may_hold = self.strategy.clips_max - side * self.clips
            paced = terms is not None and now_s - self.placed_s[side] < terms.pace_s
            for at, distance in enumerate(self.strategy.shifted(shift)):
                px, band = kept[at], held.levels[at]
                off = math.nan if px is None else side * (fair - px)
                if at >= may_hold:
                    cancels += [] if px is None else [(side, at)]
                    continue
                if px is None or off < band.least or (off > band.most and not paced):
                    cancels += [] if px is None else [(side, at)]
                    if at < held.levels_max and not paced:
                        places.append((side, at, fair - side * distance))
        adding = any(side * self.clips >= 0 for side, _, _ in places)
        return Wish(tuple(cancels), tuple(places), adding)

    def _bands_of(self, side: int) -> Bands:
        key = (side, self.clips)
        found = self._bands.get(key)
        if found is None:
            shift = side * self.clips * self.strategy.skew_bps
            if self._terms is None:
                found = exact(self.strategy, shift)
            else:
                found = bands(self.strategy, self.flow, self._terms, shift)
            self._bands[key] = found
        return found

    def cancelled(self, orders: tuple[tuple[int, int], ...]) -> None:
        for side, at in orders:
            self.orders[side][at] = None

    def placed(self, orders: tuple[tuple[int, int, float], ...], now_s: int) -> None:
        for side, at, px in orders:
            self.orders[side][at] = px
            self.placed_s[side] = now_s

    def settle(self, *, missing: bool) -> None:
        """Until where the fair price may go before the next decision; ``missing``: something was
        not sent, or waits for its pace, and is looked at again.
        """
        self._low, self._high = -math.inf, math.inf
        up = [-math.inf, math.inf]
        for side in SIDES:
            held = self._bands_of(side)
            within = band_bps(self.strategy.half_bps)
            first = None
            for px, band in zip(self.orders[side], held.levels, strict=True):
                if px is None:
                    continue
                ends = sorted((px + side * max(band.least, 0.0), px + side * band.most))
                self._low, self._high = max(self._low, ends[0]), min(self._high, ends[1])
                first = px if first is None else max(side * first, side * px) * side
            if self.strategy.clips_max - side * self.clips < 1:
                continue
            if first is None:
                up = [math.inf, -math.inf]
            else:
                up = [max(up[0], first - within), min(up[1], first + within)]
        self._up = (up[0], up[1])
        self.dirty = missing

    @property
    def open_orders(self) -> int:
        return sum(px is not None for side in SIDES for px in self.orders[side])

    def pnl_usd(self) -> float:
        """After fees, each fill against the fair price that it left behind: what inventory gains or
        loses from then on is chance with mean 0, and left out.
        """
        return self._edge_bps / BPS * self.strategy.clip_usd
