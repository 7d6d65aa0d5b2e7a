"""What an account has traded, and the fee tier that follows from it.

The tier of a day counts the fourteen days before it (UTC), master and sub-accounts together.
Source: Hyperliquid documentation, fees.
"""

from decimal import Decimal
from typing import Final

from agents.sim.accounts import Account, Daily
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor

DAY_MS: Final = 86_400_000
DAYS: Final = 14
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
"""Share of the venue's maker volume above which the maker rate holds; shown, not reached here."""


def count_volume(floor: Floor, account: Account, weighted_usd: Decimal, *, crossed: bool) -> None:
    """Add one fill's weighted notional to the account's lifetime and to its day."""
    account.volume_usd += weighted_usd
    day = floor.now_ms // DAY_MS
    daily = account.daily.get(day)
    if daily is None:
        for old in [each for each in account.daily if each < day - DAYS]:
            del account.daily[old]
        daily = account.daily[day] = Daily()
    if crossed:
        daily.cross_usd += weighted_usd
    else:
        daily.add_usd += weighted_usd


def account_rate(floor: Floor, account: Account, *, crossed: bool) -> Decimal:
    """The base rate of an account today: the better of the venue's own and its tier's."""
    rate = floor.taker_rate if crossed else floor.maker_rate
    if len(account.daily) < 2 and not account.subs and account.master is None:
        return rate
    volume_usd = tier_volume_usd(floor, account)
    for above_usd, taker_rate, maker_rate in TIERS:
        if volume_usd <= above_usd:
            break
        rate = min(rate, taker_rate if crossed else maker_rate)
    return rate


def tier_volume_usd(floor: Floor, account: Account) -> Decimal:
    """Weighted volume of the fourteen full days before today, of the whole family."""
    master = account if account.master is None else floor.accounts[account.master]
    family = (master, *(floor.accounts[sub] for sub in master.subs))
    today = floor.now_ms // DAY_MS
    return sum(
        (
            daily.cross_usd + daily.add_usd
            for each in family
            for day, daily in each.daily.items()
            if today - DAYS <= day < today
        ),
        ZERO,
    )
