"""One market's money: the day's P&L and all of it since counting began, over restarts and midnight.

    cash of the day = as the gateway last told it + what our own fills brought since
    P&L of the day  = cash + unrealised - the unrealised P&L that the day began with
    P&L             = that of the days before + that of the day

The gateway counts every fill and funding payment of the account, whoever was running. A process
that starts takes up the count where ``Kept`` left it: a restart forgives no loss.
"""

from typing import Final

import msgspec

from agents.kept import Kept

DAY_MS: Final = 86_400_000


class DayCash:
    """Cash of one UTC day in USD: realised, less fees, plus funding.

    ``own_usd``, here an argument, is what our own fills brought since this process began.
    """

    __slots__ = ("_own_usd", "_told_usd", "day")

    def __init__(self, cash_day_usd: float, now_ms: int) -> None:
        self.day = now_ms // DAY_MS
        self._told_usd = cash_day_usd
        self._own_usd = 0.0

    def usd(self, own_usd: float) -> float:
        return self._told_usd + own_usd - self._own_usd

    def told(self, day: int, cash_day_usd: float, own_usd: float) -> None:
        """The gateway's word, which holds every fill that we know; that of another day is old."""
        if day == self.day:
            self._told_usd, self._own_usd = cash_day_usd, own_usd

    def begin(self, day: int, own_usd: float) -> None:
        """Midnight."""
        self.day, self._told_usd, self._own_usd = day, 0.0, own_usd


class Counted(msgspec.Struct, frozen=True, gc=False):
    """``None``: not known, for want of a price."""

    kept: Kept
    pnl_day_usd: float | None
    pnl_usd: float | None


def counted(
    kept: Kept, cash: DayCash, *, own_usd: float, unrealized_usd: float | None, now_ms: int
) -> Counted:
    """The count as of now; at midnight the cash begins anew."""
    day = now_ms // DAY_MS
    if day > kept.day:
        kept = _rolled(kept, cash, day, own_usd, unrealized_usd)
    if day > cash.day:
        cash.begin(day, own_usd)
    cash_usd = cash.usd(own_usd)
    if unrealized_usd is None:
        return Counted(kept, cash_usd if kept.open_usd is None else None, None)
    if kept.open_usd is None:  # the first count of all: it begins at 0
        kept = msgspec.structs.replace(kept, open_usd=unrealized_usd, before_usd=-cash_usd)
    assert kept.open_usd is not None
    day_usd = cash_usd + unrealized_usd - kept.open_usd
    pnl_usd = kept.before_usd + day_usd
    if pnl_usd != kept.pnl_usd or unrealized_usd != kept.unrealized_usd:
        kept = msgspec.structs.replace(
            kept,
            pnl_usd=pnl_usd,
            unrealized_usd=unrealized_usd,
            peak_usd=max(kept.peak_usd, pnl_usd),
        )
    return Counted(kept, day_usd, pnl_usd)


def _rolled(
    kept: Kept, cash: DayCash, day: int, own_usd: float, unrealized_usd: float | None
) -> Kept:
    """A new day. What it begins with is what was last known, if nobody was there at midnight."""
    if kept.open_usd is None:
        return msgspec.structs.replace(kept, day=day, kills=0)
    before_usd, open_usd = kept.pnl_usd, kept.unrealized_usd
    if cash.day == kept.day and unrealized_usd is not None:
        day_usd = cash.usd(own_usd) + unrealized_usd - kept.open_usd
        before_usd, open_usd = kept.before_usd + day_usd, unrealized_usd
    return msgspec.structs.replace(kept, day=day, kills=0, before_usd=before_usd, open_usd=open_usd)
