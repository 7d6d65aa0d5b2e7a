"""What the action log has told so far, for the head of its next segment.

It is fed by what was written, not by what is known: a fill that is still owed to the log must not
be called booked in it, or a crash at that moment would lose it.
"""

from collections.abc import Callable
from typing import Final

from fleet.gateway.core.bookings import Bookings
from fleet.gateway.records import Body, Carried, Filled, Funding

CARRIED_MAX: Final = 5_000
"""More than the 2000 fills that the venue tells of at once."""


class Standing:
    """``bookings``: as the log that is there was read. ``nonce`` tells the last one given."""

    def __init__(self, bookings: Bookings, nonce: Callable[[], int]) -> None:
        self._bookings = Bookings(bookings.floor_ms)
        self._nonce = nonce
        take_over(self._bookings, carried(bookings, 0))

    def written(self, body: Body) -> None:
        book(self._bookings, body)

    def head(self) -> Carried:
        return carried(self._bookings, self._nonce())


def book(bookings: Bookings, body: Body) -> None:
    """One record that is in the log."""
    if isinstance(body, Filled):
        fill = body.fill
        if bookings.fill_is_new(fill):
            usd = float(fill.closed_pnl) - float(fill.fee)
            bookings.add_day(fill.coin, usd, fill.time_ms)
    elif isinstance(body, Funding) and bookings.funding_is_new(body.market, body.time_ms):
        bookings.add_day(body.market, float(body.usdc), body.time_ms)


def carried(bookings: Bookings, nonce: int) -> Carried:
    fills, fundings = bookings.newest(CARRIED_MAX)
    return Carried(
        nonce=nonce, last_fill_ms=bookings.last_fill_ms, day=bookings.day,
        day_usd=dict(bookings.day_usd), fills=fills, fundings=fundings,
    )  # fmt: skip


def take_over(bookings: Bookings, told: Carried) -> None:
    """What was told at a segment's head is known from here on."""
    bookings.know(told.fills, told.fundings)
    bookings.last_fill_ms = max(bookings.last_fill_ms, told.last_fill_ms)
    bookings.day, bookings.day_usd = told.day, dict(told.day_usd)
