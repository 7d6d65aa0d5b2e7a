"""One market's book: fills folded into position, cost, realised P&L, fees and volume, exactly.

    position += sign·sz        cost = what the open position cost (position · average entry)
    opening   cost += sign·sz·px
    closing   the closed share of the cost leaves it; realized += proceeds - that share

    realized - cost = -Σ sign·sz·px - inherited_cost        to the last digit, after every fill

so realised + unrealised P&L is the cash flow plus the position at its mark, whatever the rounding
of a share. A fill says the position before it; where that is not ours, the difference is taken in
at the fill's own price: before the first fill it was inherited, later it is a gap (a fill that we
have not seen). Fills of one millisecond are chained by those positions, so the outcome depends on
the set of fills and not on the order in which the venue tells them.
All money is in the DEX's collateral. Fees are signed as paid.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, localcontext
from itertools import groupby, pairwise
from typing import Final

import msgspec

from agents.market.types import Fill

_EXACT: Final = Context(prec=80, traps=[Inexact, InvalidOperation])
_ROUNDED: Final = Context(prec=80, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_COST_STEP: Final = Decimal("1e-12")
_ENTRY_STEP: Final = Decimal("1e-8")
_ZERO: Final = Decimal(0)


class Booked(msgspec.Struct, frozen=True):
    """A fill of the account; ``ours``: by an order of this fleet."""

    fill: Fill
    ours: bool

    @property
    def signed_sz(self) -> Decimal:
        return self.fill.sz * self.fill.side.sign

    @property
    def end_sz(self) -> Decimal:
        """The position after it, as the venue saw it."""
        return self.fill.start_position_sz + self.signed_sz

    @property
    def rank(self) -> tuple[int, int, str]:
        return self.fill.tid, self.fill.oid, self.fill.side.value


class Book(msgspec.Struct, frozen=True):
    """What the fills of a market came to. ``fills``, ``taker_fills``, ``volume``: our own alone."""

    position_sz: Decimal = _ZERO
    cost: Decimal = _ZERO
    realized: Decimal = _ZERO
    fees: Decimal = _ZERO
    volume: Decimal = _ZERO
    inherited_sz: Decimal = _ZERO
    inherited_cost: Decimal = _ZERO
    fills: int = 0
    taker_fills: int = 0
    foreign_fills: int = 0
    gaps: int = 0
    last_ms: int = 0

    @property
    def entry_px(self) -> Decimal | None:
        """Average entry, to 8 decimals; None when flat."""
        if not self.position_sz:
            return None
        return _ROUNDED.divide(self.cost, self.position_sz).quantize(_ENTRY_STEP, context=_ROUNDED)


def plain(value: Decimal) -> str:
    """All digits, no exponent, no trailing zeros: equal values have one text."""
    return format(value.normalize(_ROUNDED), "f") if value else "0"


def _traded(
    *, position_sz: Decimal, cost: Decimal, signed_sz: Decimal, px: Decimal
) -> tuple[Decimal, Decimal, Decimal]:
    """(position, cost, realised) after trading ``signed_sz`` at ``px``."""
    if position_sz * signed_sz >= 0:
        return position_sz + signed_sz, cost + signed_sz * px, _ZERO
    if abs(signed_sz) < abs(position_sz):
        share = _ROUNDED.divide(cost * abs(signed_sz), abs(position_sz))
        share = share.quantize(_COST_STEP, context=_ROUNDED)
        return position_sz + signed_sz, cost - share, -signed_sz * px - share
    rest = position_sz + signed_sz
    return rest, rest * px, position_sz * px - cost


def _took(book: Book, booked: Booked) -> Book:
    """The book after one more fill."""
    fill = booked.fill
    position_sz, cost, realized = book.position_sz, book.cost, book.realized
    jump = fill.start_position_sz - position_sz
    if jump:
        position_sz, cost, gained = _traded(
            position_sz=position_sz, cost=cost, signed_sz=jump, px=fill.px
        )
        realized += gained
    position_sz, cost, gained = _traded(
        position_sz=position_sz, cost=cost, signed_sz=booked.signed_sz, px=fill.px
    )
    seen_before = book.fills + book.foreign_fills > 0
    return Book(
        position_sz=position_sz,
        cost=cost,
        realized=realized + gained,
        fees=book.fees + fill.fee,
        volume=book.volume + (fill.px * fill.sz if booked.ours else _ZERO),
        inherited_sz=book.inherited_sz + jump,
        inherited_cost=book.inherited_cost + jump * fill.px,
        fills=book.fills + booked.ours,
        taker_fills=book.taker_fills + (booked.ours and fill.crossed),
        foreign_fills=book.foreign_fills + (not booked.ours),
        gaps=book.gaps + (jump != 0 and seen_before),
        last_ms=fill.time_ms,
    )


def _trail(here: Decimal, waiting: dict[Decimal, list[Booked]]) -> list[Booked]:
    """The fills reachable from a position, each once, as one chain (Hierholzer's Euler trail)."""
    order: list[Booked] = []
    path: list[tuple[Decimal, Booked | None]] = [(here, None)]
    while path:
        at, arrived_by = path[-1]
        if leaving := waiting.get(at):
            booked = leaving.pop(0)
            path.append((booked.end_sz, booked))
            if not leaving:
                del waiting[at]
        else:
            path.pop()
            if arrived_by is not None:
                order.append(arrived_by)
    order.reverse()
    return order


def chained(position_sz: Decimal, fills: Sequence[Booked]) -> list[Booked]:
    """Fills of one millisecond in the order in which they happened, by the position before each.

    The venue does not promise to list them so. Where a chain is broken the order is by trade id:
    some order, but always the same.
    """
    if len(fills) == 1:
        return list(fills)
    waiting: dict[Decimal, list[Booked]] = {}
    for booked in sorted(fills, key=lambda booked: booked.rank):
        waiting.setdefault(booked.fill.start_position_sz, []).append(booked)
    order: list[Booked] = []
    here = position_sz
    while waiting:
        order += _trail(_head(here, waiting), waiting)
        here = order[-1].end_sz
    return order


def _head(here: Decimal, waiting: dict[Decimal, list[Booked]]) -> Decimal:
    """Where a chain begins: at a position that more fills leave than reach, or anywhere in a ring.

    ``here`` if that may be; else as the lowest trade id says.
    """
    ends = [booked.end_sz for row in waiting.values() for booked in row]
    heads = [start for start, row in waiting.items() if len(row) > ends.count(start)]
    among = heads or list(waiting)
    return here if here in among else min(among, key=lambda start: waiting[start][0].rank)


def fold(book: Book, fills: Iterable[Booked]) -> Book:
    """The book after ``fills``, all of one market, each once, none older than the book.

    Raises decimal.Inexact if a figure needs more than 80 digits.
    """
    ordered = sorted(fills, key=lambda booked: booked.fill.time_ms)
    assert all(a.fill.coin == b.fill.coin for a, b in pairwise(ordered))
    with localcontext(_EXACT):
        for _, of_one_ms in groupby(ordered, key=lambda booked: booked.fill.time_ms):
            for booked in chained(book.position_sz, list(of_one_ms)):
                book = _took(book, booked)
    return book
