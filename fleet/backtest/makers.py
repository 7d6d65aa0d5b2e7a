"""Makers to be better than: a fixed distance without skew, and the ancestor as it was written."""

import math
from collections import deque
from decimal import Decimal
from typing import Final, Protocol

from agents.commands import Cancel, Command, NewOrder, Place
from agents.events import Bbo, Book, CancelAnswered, Event, Fills, PlaceAnswered, Trades
from agents.market.instrument import Instrument
from agents.market.types import Cloid, Level, Side, Trade
from agents.market.units import BPS, NS_PER_S

TOLERANCE_SHARE: Final = 0.25
AGE_MIN_NS: Final = 300_000_000


class Rule(Protocol):
    """How far from the mid a maker quotes."""

    def seen(self, event: Event, now_ns: int) -> None:
        """Learn from market data."""

    def distances_bps(self, inventory_share: float) -> tuple[float, float] | None:
        """Bid's and ask's distance from the mid; None: no quote yet."""


class FixedRule:
    """The same distance, whatever happens."""

    def __init__(self, half_spread_bps: float) -> None:
        self._half_spread_bps = half_spread_bps

    def seen(self, event: Event, now_ns: int) -> None:
        """Nothing to learn."""

    def distances_bps(self, inventory_share: float) -> tuple[float, float] | None:
        del inventory_share
        return self._half_spread_bps, self._half_spread_bps


class AncestorRule:
    """``delta = ln(1 + gamma/kappa)/gamma + fee``, shifted by ``q/Qmax * gamma * sigma^2 * tau``.

    As it was written: kappa in 1/fraction of the price and gamma without unit, sigma by the tick of
    the book and used by the second, kappa the reciprocal of the prints' mean distance from the mid
    under a Gamma(5, 5/2500) prior over five minutes, the horizon one tick of the volume clock.
    The operator's floor is given, the ancestor's own was 8 bps.
    Source: ancestor's single-quote strategy: gamma 0.3, horizon at most 120 s, fee 1.5 bps.
    """

    GAMMA: Final = 0.3
    WINDOW_NS: Final = 300 * NS_PER_S

    def __init__(self, *, floor_bps: float, maker_fee_bps: float) -> None:
        self._floor_bps = floor_bps
        self._fee = maker_fee_bps / BPS
        self._distances: deque[tuple[int, float]] = deque()
        self._sum = 0.0
        self._mid_px = 0.0
        self._variance = 1e-8
        self._ticks = 0
        self._began_ns: int | None = None
        self._now_ns = 0

    def seen(self, event: Event, now_ns: int) -> None:
        self._now_ns = now_ns
        if self._began_ns is None:
            self._began_ns = now_ns
        if isinstance(event, Trades):
            for trade in event.trades:
                self._print(trade, now_ns)
        touch = _touch(event)
        if touch is not None:
            mid_px = (touch[0].px + touch[1].px) / 2
            if self._mid_px:
                r = math.log(mid_px / self._mid_px)
                self._variance = 0.993 * self._variance + 0.007 * r * r
            self._mid_px = mid_px

    def distances_bps(self, inventory_share: float) -> tuple[float, float] | None:
        if self._ticks < 10 or self._began_ns is None:
            return None
        kappa = (5.0 + len(self._distances)) / (5.0 / 2500.0 + self._sum)
        half = max(math.log1p(self.GAMMA / kappa) / self.GAMMA + self._fee, self._floor_bps / BPS)
        watched_s = max((self._now_ns - self._began_ns) / NS_PER_S, 1.0)
        tau_s = min(1.0 / max(self._ticks / watched_s, 0.01), 120.0)
        skew = inventory_share * self.GAMMA * self._variance * tau_s
        return BPS * (half + skew), BPS * max(half - skew, 0.0)

    def _print(self, trade: Trade, now_ns: int) -> None:
        if not self._mid_px:
            return
        distance = max(abs(trade.px / self._mid_px - 1.0), 0.1 / BPS)
        self._distances.append((now_ns, distance))
        self._sum += distance
        self._ticks += 1
        while self._distances and now_ns - self._distances[0][0] > self.WINDOW_NS:
            self._sum -= self._distances.popleft()[1]


class SimpleMaker:
    """One order a side at a rule's distance from the mid, moved when it is off by a quarter."""

    def __init__(
        self, rule: Rule, *, instrument: Instrument, clip_usd: float, limit_usd: float
    ) -> None:
        self._rule = rule
        self._instrument = instrument
        self._clip_usd = clip_usd
        self._limit_usd = limit_usd
        self._position_sz = Decimal(0)
        self._resting: dict[Side, _Resting | None] = {Side.BID: None, Side.ASK: None}
        self._sent = 0

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Learn, then move what is off."""
        self._rule.seen(event, now_ns)
        match event:
            case Fills(fills=fills):
                for fill in fills:
                    self._position_sz += fill.side.sign * fill.sz
                    self._filled(fill.cloid, fill.sz)
            case PlaceAnswered(request_id=request_id, results=results):
                self._answered(request_id, refused=results[0].kind == "refused")
            case CancelAnswered():
                pass
            case _:
                pass
        touch = _touch(event)
        if touch is None or touch[0].px >= touch[1].px:
            return []
        bid, ask = touch
        mid_px = (bid.px + ask.px) / 2
        share = float(self._position_sz) * mid_px / self._limit_usd
        distances = self._rule.distances_bps(share)
        if distances is None:
            return []
        commands: list[Command] = []
        for side, distance, opposite_px in zip(Side, distances, (ask.px, bid.px), strict=True):
            commands += self._move(side, distance, mid_px, opposite_px, now_ns)
        return commands

    def _move(
        self, side: Side, distance_bps: float, mid_px: float, opposite_px: float, now_ns: int
    ) -> list[Command]:
        held_usd = side.sign * float(self._position_sz) * mid_px
        resting = self._resting[side]
        if held_usd + self._clip_usd > self._limit_usd:
            self._resting[side] = None
            return [] if resting is None else [self._cancel(resting)]
        (px,) = self._instrument.passive_pxs(
            [mid_px * (1.0 - side.sign * distance_bps / BPS)], side
        )
        tick_px = self._instrument.tick_px(mid_px)
        if side.sign * (float(px) - opposite_px) >= 0:
            nearest = self._instrument.passive_px(opposite_px, side)
            px = nearest - side.sign * tick_px
        commands: list[Command] = []
        if resting is not None:
            off_bps = side.sign * float(resting.px - px) / mid_px * BPS
            tolerance_bps = max(TOLERANCE_SHARE * distance_bps, float(tick_px) / mid_px * BPS)
            if abs(off_bps) <= tolerance_bps or now_ns - resting.sent_ns < AGE_MIN_NS:
                return []
            commands.append(self._cancel(resting))
        self._sent += 1
        sz = self._instrument.floor_sz(self._clip_usd / mid_px)
        cloid = Cloid(f"0x{self._sent:032x}")
        self._resting[side] = _Resting(self._sent, cloid, px, sz, now_ns)
        order = NewOrder(cloid=cloid, side=side, px=px, sz=sz)
        commands.append(Place(request_id=self._sent, orders=(order,)))
        return commands

    def _cancel(self, resting: "_Resting") -> Cancel:
        return Cancel(request_id=0, cloids=(resting.cloid,))

    def _filled(self, cloid: Cloid | None, sz: Decimal) -> None:
        for side, resting in self._resting.items():
            if resting is not None and resting.cloid == cloid:
                resting.sz -= sz
                if resting.sz <= 0:
                    self._resting[side] = None

    def _answered(self, request_id: int, *, refused: bool) -> None:
        for side, resting in self._resting.items():
            if refused and resting is not None and resting.request_id == request_id:
                self._resting[side] = None


class _Resting:
    def __init__(
        self, request_id: int, cloid: Cloid, px: Decimal, sz: Decimal, sent_ns: int
    ) -> None:
        self.request_id = request_id
        self.cloid = cloid
        self.px = px
        self.sz = sz
        self.sent_ns = sent_ns


def _touch(event: Event) -> tuple[Level, Level] | None:
    if isinstance(event, Bbo):
        bid, ask = event.bbo
    elif isinstance(event, Book) and event.bids and event.asks:
        bid, ask = event.bids[0], event.asks[0]
    else:
        return None
    return None if bid is None or ask is None else (bid, ask)
