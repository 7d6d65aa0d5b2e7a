"""Wanted minus live: which orders of one side to cancel and which to place.

Every change costs a request and a place in the queue, so a live order near its level stays. The
tolerance is lopsided: an order that has become too aggressive is about to be picked off and goes
at once; one that is too passive only waits for nothing, and may wait. It is also deeper for the
levels behind the first: they fill rarely, and stand in for one another. The first level alone
makes the market, so it is followed for as long as it would leave the band that counts as quoting.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum, auto
from math import inf
from typing import Final

import msgspec

from agents.market.types import Cloid, Quote, Side
from agents.market.units import BPS
from agents.orders.lifecycle import State
from agents.orders.tracked import TrackedOrder

PASSIVE_SHARE: Final = 3.0
BEHIND_SHARE: Final = 3.0
LEEWAY_SHARE: Final = 0.5
LEVELS_ALL: Final = 1 << 30
SIZE_LOW_SHARE: Final = Decimal("0.5")
SIZE_HIGH_SHARE: Final = Decimal("1.05")


class Tolerance(msgspec.Struct, frozen=True, gc=False):
    """How far a live order may be off its level.

    ``share``: of the level's distance from fair, towards fair; thrice that away from it, and
    thrice behind the first level, but never nearer than the first one may be.
    ``tick_px``: never less than this. ``age_min_ns``: age before a merely passive order moves.
    ``first_max_bps``: further from ``mid_px`` than this no first order is left that is wanted
    nearer.
    ``passive_px``, ``aggressive_px``: never less than these, away from fair and towards it; of the
    levels only ``levels_max`` are placed, and those behind them stay until they are too near: what
    requests cost makes of it.
    """

    share: float
    step_bps: float
    tick_px: float
    age_min_ns: int
    mid_px: float
    first_max_bps: float = inf
    passive_px: float = 0.0
    aggressive_px: float = 0.0
    levels_max: int = LEVELS_ALL


class Leeway(msgspec.Struct, frozen=True, gc=False):
    """Between which fair prices and which mids all that rests stays where it is, if the distances
    wanted stay as they are.
    """

    fair_low_px: float = -inf
    fair_high_px: float = inf
    mid_low_px: float = -inf
    mid_high_px: float = inf

    def holds(self, fair_px: float, mid_px: float) -> bool:
        return (
            self.fair_low_px <= fair_px <= self.fair_high_px
            and self.mid_low_px <= mid_px <= self.mid_high_px
        )

    def both(self, other: "Leeway") -> "Leeway":
        """What two sides leave together."""
        return Leeway(
            max(self.fair_low_px, other.fair_low_px),
            min(self.fair_high_px, other.fair_high_px),
            max(self.mid_low_px, other.mid_low_px),
            min(self.mid_high_px, other.mid_high_px),
        )


class SidePlan(msgspec.Struct, frozen=True, gc=False):
    """``cancel`` now, ``place`` now; ``deferred``: something waits for its age.

    ``pairs``: which of the orders to cancel stands where which of the quotes belongs. ``leeway``:
    where nothing is to be done, for how long that is so.
    """

    cancel: tuple[TrackedOrder, ...] = ()
    place: tuple[Quote, ...] = ()
    deferred: bool = False
    pairs: tuple[tuple[TrackedOrder, Quote], ...] = ()
    leeway: Leeway | None = None

    def place_of(self, quote: Quote) -> Cloid | None:
        """Whose place a quote takes; None where it is a new one."""
        return next((order.cloid for order, other in self.pairs if other is quote), None)


Stays = Callable[[TrackedOrder, float, float], bool]


def _moves(_order: TrackedOrder, _px: float, _off_bps: float) -> bool:
    return False


def reconcile_side(
    *,
    side: Side,
    wanted: Sequence[Quote],
    live: Sequence[TrackedOrder],
    fair_px: float,
    tolerance: Tolerance,
    reduce_only: bool,
    now_ns: int,
    stays: Stays = _moves,
) -> SidePlan:
    """Match each level to its nearest live order, keep what is near enough, replace the rest.

    Only orders that are sent or open can be matched; whose cancel or fate is under way counts
    elsewhere, as room. A sent order is never cancelled before its answer. ``stays``: whether an
    order too passive by so many bps is worth more where it is, for its place in the queue.
    """
    matchable = [order for order in live if order.state is _SENT or order.state is _OPEN]
    pxs = [float(quote.px) for quote in wanted]
    judge = _Judge(
        side, fair_px, tolerance, first_px=pxs[0] if pxs else 0.0, reduce_only=reduce_only,
        now_ns=now_ns, stays=stays,
    )  # fmt: skip
    if len(wanted) == len(matchable):
        matchable.sort(key=lambda order: -side.sign * order.near_px)
        if judge.keeps_all(pxs, wanted, matchable):
            return SidePlan(leeway=judge.leeway(pxs, matchable))
    pairs = _nearest(pxs, matchable)
    cancel: list[TrackedOrder] = []
    place: list[tuple[int, Quote]] = []
    swaps: list[tuple[TrackedOrder, Quote]] = []
    deferred = False
    for index, quote in enumerate(wanted):
        order = pairs.get(index)
        if order is None:
            place.append((index, quote))
            continue
        fate = judge.fate(index, pxs[index], quote, order)
        if fate is _REPLACE and order.state is _OPEN:
            cancel.append(order)
            place.append((index, quote))
            swaps.append((order, quote))
        elif fate is not _KEEP:
            deferred = True
    kept = {order.cloid for order in pairs.values()}
    for order in matchable:
        if order.cloid not in kept:
            if order.state is _OPEN:
                cancel.append(order)
            else:
                deferred = True
    placed = tuple(quote for index, quote in place if index < tolerance.levels_max)
    return SidePlan(tuple(cancel), placed, deferred, tuple(swaps))


_SENT, _OPEN = State.SENT, State.OPEN


class _Fate(Enum):
    KEEP = auto()
    WAIT = auto()
    REPLACE = auto()


_KEEP, _WAIT, _REPLACE = _Fate  # looking a member up costs as much as a judgement


def _nearest(pxs: Sequence[float], live: Sequence[TrackedOrder]) -> dict[int, TrackedOrder]:
    """One to one, closest pairs first: a ladder that moved by a level keeps all but one order."""
    candidates = [
        (abs(px - order.near_px), index, number)
        for index, px in enumerate(pxs)
        for number, order in enumerate(live)
    ]
    candidates.sort()
    pairs: dict[int, TrackedOrder] = {}
    taken: set[int] = set()
    for _, index, number in candidates:
        if index not in pairs and number not in taken:
            pairs[index] = live[number]
            taken.add(number)
    return pairs


class _Judge:
    """What becomes of a live order matched to a level."""

    __slots__ = (
        "_behind_share", "_bound_px", "_fair_px", "_least_away_px", "_least_behind_px",
        "_least_px", "_now_ns", "_passive_share", "_reduce_only", "_sign", "_stays",
        "_tolerance",
    )  # fmt: skip

    def __init__(
        self,
        side: Side,
        fair_px: float,
        tolerance: Tolerance,
        *,
        first_px: float,
        reduce_only: bool,
        now_ns: int,
        stays: Stays,
    ) -> None:
        self._sign = side.sign
        self._fair_px = fair_px
        self._tolerance = tolerance
        self._reduce_only = reduce_only
        self._now_ns = now_ns
        self._stays = stays
        self._behind_share = tolerance.share * BEHIND_SHARE
        self._passive_share = tolerance.share * PASSIVE_SHARE
        # An order may be off by a share of its level's distance from fair; of the half-spread and
        # a tick at least, and not less than its requests are worth.
        step_px, tick_px = fair_px * tolerance.step_bps / BPS, tolerance.tick_px
        self._least_px = max(tolerance.share * step_px, tick_px, tolerance.aggressive_px)
        self._least_behind_px = max(self._behind_share * step_px, self._least_px)
        self._least_away_px = max(self._passive_share * step_px, tick_px, tolerance.passive_px)
        self._bound_px = first_px + side.sign * self._nearer_px(0, first_px)

    def keeps_all(
        self, pxs: Sequence[float], wanted: Sequence[Quote], live: Sequence[TrackedOrder]
    ) -> bool:
        """Whether each order may stay where it is, at the level of its number."""
        fate = self.fate
        for index, order in enumerate(live):
            if fate(index, pxs[index], wanted[index], order) is not _KEEP:
                return False
        return True

    def leeway(self, pxs: Sequence[float], live: Sequence[TrackedOrder]) -> Leeway:
        """Of orders that are kept: half of what ``fate`` lets prices do before it would say
        otherwise; the other half is for what the distances do until the next pricing.
        """
        tolerance, sign = self._tolerance, self._sign
        nearer_px = further_px = inf
        mid_px = sign * inf
        for index, (px, order) in enumerate(zip(pxs, live, strict=True)):
            aggressive_px = sign * (order.near_px - px)
            may_px = self._nearer_px(index, px) - aggressive_px
            nearer_px = min(nearer_px, may_px, sign * (self._bound_px - order.near_px))
            if index < tolerance.levels_max:
                further_px = min(further_px, self._further_px(px) + aggressive_px)
            if index == 0 and tolerance.first_max_bps < BPS:
                mid_px = order.near_px / (1.0 - sign * tolerance.first_max_bps / BPS)
                if sign * (mid_px - tolerance.mid_px) > 0:  # else out of the band for want of ticks
                    mid_px = tolerance.mid_px + LEEWAY_SHARE * (mid_px - tolerance.mid_px)
        low_px = self._fair_px - LEEWAY_SHARE * (nearer_px if sign > 0 else further_px)
        high_px = self._fair_px + LEEWAY_SHARE * (further_px if sign > 0 else nearer_px)
        if sign > 0:
            return Leeway(low_px, high_px, -inf, mid_px)
        return Leeway(low_px, high_px, mid_px, inf)

    def fate(self, index: int, px: float, quote: Quote, order: TrackedOrder) -> _Fate:
        """``index``: of the level, 0 the best; ``px``: its price as a float."""
        if order.reduce_only != self._reduce_only:
            return _REPLACE
        tolerance, sign, near_px = self._tolerance, self._sign, order.near_px
        aggressive_px = sign * (near_px - px)
        if sign * (near_px - self._bound_px) > 0 or (
            aggressive_px > 0 and aggressive_px > self._nearer_px(index, px)
        ):
            return _REPLACE
        if index >= tolerance.levels_max and order.remaining_sz <= SIZE_HIGH_SHARE * quote.sz:
            return _KEEP
        away_px = -aggressive_px
        most_px = inf if index else self._most_px(px)
        alike = _alike(order.remaining_sz, quote.sz)
        if alike and away_px <= most_px and (away_px <= 0 or away_px <= self._further_px(px)):
            return _KEEP
        if self._now_ns - order.sent_ns < tolerance.age_min_ns:
            return _WAIT
        off_bps = away_px / self._fair_px * BPS
        stays = alike and away_px <= most_px and self._stays(order, px, off_bps)
        return _KEEP if stays else _REPLACE

    def _most_px(self, px: float) -> float:
        """How far behind ``px`` the first level's order still counts; a tick at least."""
        tolerance, mid_px = self._tolerance, self._tolerance.mid_px
        most_px = mid_px * tolerance.first_max_bps / BPS - self._sign * (mid_px - px)
        return max(most_px, tolerance.tick_px)

    def _nearer_px(self, index: int, px: float) -> float:
        """How much too near fair an order of this level may be."""
        away_px = abs(self._fair_px - px)
        if index:
            return max(self._behind_share * away_px, self._least_behind_px)
        return max(self._tolerance.share * away_px, self._least_px)

    def _further_px(self, px: float) -> float:
        """How much too far off."""
        return max(self._passive_share * abs(self._fair_px - px), self._least_away_px)


def _alike(remaining_sz: Decimal, wanted_sz: Decimal) -> bool:
    if remaining_sz == wanted_sz:
        return True
    return SIZE_LOW_SHARE * wanted_sz <= remaining_sz <= SIZE_HIGH_SHARE * wanted_sz


def fitting(
    place: Sequence[Quote],
    *,
    room_sz: Decimal,
    own_opposite_px: Decimal | None,
) -> tuple[Quote, ...]:
    """Of these quotes, best first, those that fit the room and never meet our other side."""
    chosen: list[Quote] = []
    for quote in place:
        if own_opposite_px is not None:
            meets = quote.side.sign * (quote.px - own_opposite_px) >= 0
            if meets:
                continue
        if quote.sz <= room_sz:
            chosen.append(quote)
            room_sz -= quote.sz
    return tuple(chosen)
