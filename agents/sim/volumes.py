"""What an account has traded, and the fee tiers that follow from it.

The tiers of a day count the fourteen days before it (UTC), master and sub-accounts together: one
by volume, one by the share that it made of all that the venue traded.
Source: Hyperliquid documentation, fees.
"""

from decimal import Decimal
from typing import Final

from agents.sim.accounts import Account, Daily
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor

DAY_MS: Final = 86_400_000
DAYS: Final = 14
DAYS_KEPT: Final = 31
TENTH_BP: Final = Decimal("0.00001")

TIERS: Final[tuple[tuple[int, Decimal, Decimal], ...]] = (
    (5_000_000, Decimal("0.0004"), Decimal("0.00012")),
    (25_000_000, Decimal("0.00035"), Decimal("0.00008")),
    (100_000_000, Decimal("0.0003"), Decimal("0.00004")),
    (500_000_000, Decimal("0.00028"), ZERO),
    (2_000_000_000, Decimal("0.00026"), ZERO),
    (7_000_000_000, Decimal("0.00024"), ZERO),
)
"""Volume above which taker and maker rate hold."""

MAKER_TIERS: Final[tuple[tuple[Decimal, Decimal], ...]] = (
    (Decimal("0.005"), Decimal("-0.00001")),
    (Decimal("0.015"), Decimal("-0.00002")),
    (Decimal("0.03"), Decimal("-0.00003")),
)
"""Share of the venue's volume that an account made, above which the maker rate holds."""


def count_volume(floor: Floor, account: Account, weighted_usd: Decimal, *, crossed: bool) -> None:
    """Add one fill's weighted notional to the account's lifetime and to its day."""
    account.volume_usd += weighted_usd
    day = floor.now_ms // DAY_MS
    daily = account.daily.get(day)
    if daily is None:
        for old in [each for each in account.daily if each < day - DAYS_KEPT]:
            del account.daily[old]
        daily = account.daily[day] = Daily()
    if crossed:
        daily.cross_usd += weighted_usd
    else:
        daily.add_usd += weighted_usd


def count_venue(floor: Floor, weighted_usd: Decimal) -> None:
    """Add one trade's weighted notional to what the venue traded this day."""
    day = floor.now_ms // DAY_MS
    daily = floor.daily_usd
    if day not in daily:
        for old in [each for each in daily if each < day - DAYS]:
            del daily[old]
        daily[day] = ZERO
    daily[day] += weighted_usd


def account_rate(floor: Floor, account: Account, *, crossed: bool) -> Decimal:
    """The base rate of an account today: the best of the venue's own and its tiers'."""
    rate = floor.taker_rate if crossed else floor.maker_rate
    if len(account.daily) < 2 and not account.subs and account.master is None:
        day = floor.now_ms // DAY_MS
        if day in account.daily or not account.daily:
            return rate
    cross_usd, add_usd = tier_volumes(floor, account)
    for above_usd, taker_rate, maker_rate in TIERS:
        if cross_usd + add_usd <= above_usd:
            break
        rate = min(rate, taker_rate if crossed else maker_rate)
    return rate if crossed else min(rate, _maker_rate(floor, add_usd, rate))


def _maker_rate(floor: Floor, add_usd: Decimal, rate: Decimal) -> Decimal:
    """The maker rate by share. A tape's own trades are not counted: there is no share of them."""
    venue_usd = sum((floor.daily_usd.get(day, ZERO) for day in _days(floor)), ZERO)
    if not venue_usd or floor.taped:
        return rate
    for above_share, maker_rate in MAKER_TIERS:
        if add_usd <= above_share * venue_usd:
            break
        rate = maker_rate
    return rate


def tier_volumes(floor: Floor, account: Account) -> tuple[Decimal, Decimal]:
    """Taken and made in the fourteen full days before today, weighted, by the whole family."""
    cross_usd, add_usd, days = ZERO, ZERO, _days(floor)
    for each in family(floor, account):
        for day, daily in each.daily.items():
            if day in days:
                cross_usd += daily.cross_usd
                add_usd += daily.add_usd
    return cross_usd, add_usd


def family(floor: Floor, account: Account) -> tuple[Account, ...]:
    """Master and sub-accounts."""
    master = account if account.master is None else floor.accounts[account.master]
    return master, *(floor.accounts[sub] for sub in master.subs)


def _days(floor: Floor) -> range:
    today = floor.now_ms // DAY_MS
    return range(today - DAYS, today)
