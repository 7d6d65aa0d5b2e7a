"""``userFees``: an account's rates, the venue's schedule, and the volumes they follow from."""

from typing import Final

from agents.sim import rows
from agents.sim.accounts import Account, Daily
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.volumes import DAY_MS, DAYS, MAKER_TIERS, TIERS, account_rate, family

SPOT_RATES: Final = (
    ("0.0007", "0.0004"), ("0.0006", "0.0003"), ("0.0005", "0.0002"), ("0.0004", "0.0001"),
    ("0.00035", "0.0"), ("0.0003", "0.0"), ("0.00025", "0.0"),
)  # fmt: skip
"""Taker and maker by tier, the lowest first; shown, as nothing is traded on spot here."""
STAKING_TIERS: Final = (
    ("0.0", "0.0"), ("0.0001", "0.05"), ("0.001", "0.1"), ("0.01", "0.15"), ("0.1", "0.2"),
    ("1.0", "0.3"), ("5.0", "0.4"),
)  # fmt: skip


def user_fees(floor: Floor, account: Account) -> rows.Row:
    """The account's rates by its tiers; it neither stakes nor is referred."""
    return {
        "dailyUserVlm": _days(floor, account),
        "feeSchedule": _schedule(floor),
        "userCrossRate": rows.number(account_rate(floor, account, crossed=True)),
        "userAddRate": rows.number(account_rate(floor, account, crossed=False)),
        "userSpotCrossRate": SPOT_RATES[0][0],
        "userSpotAddRate": SPOT_RATES[0][1],
        "activeReferralDiscount": "0.0",
        "trial": None,
        "feeTrialEscrow": "0.0",
        "nextTrialAvailableTimestamp": None,
        "stakingLink": None,
        "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
    }


def _days(floor: Floor, account: Account) -> list[rows.Row]:
    """The fourteen days that count and the one under way, of the whole family."""
    today = floor.now_ms // DAY_MS
    found: list[rows.Row] = []
    for day in range(max(0, today - DAYS), today + 1):
        dailies = [each.daily.get(day, Daily()) for each in family(floor, account)]
        found.append(
            {
                "date": iso_date(day),
                "userCross": rows.number(sum((each.cross_usd for each in dailies), ZERO)),
                "userAdd": rows.number(sum((each.add_usd for each in dailies), ZERO)),
                "exchange": rows.number(floor.daily_usd.get(day, ZERO)),
            }
        )
    return found


def _schedule(floor: Floor) -> rows.Row:
    vip = [
        {
            "ntlCutoff": f"{above}.0",
            "cross": rows.number(taker),
            "add": rows.number(maker),
            "spotCross": spot_taker,
            "spotAdd": spot_maker,
        }
        for (above, taker, maker), (spot_taker, spot_maker) in zip(
            TIERS, SPOT_RATES[1:], strict=True
        )
    ]
    makers = [
        {"makerFractionCutoff": rows.number(share), "add": rows.number(rate)}
        for share, rate in MAKER_TIERS
    ]
    return {
        "cross": rows.number(floor.taker_rate),
        "add": rows.number(floor.maker_rate),
        "spotCross": SPOT_RATES[0][0],
        "spotAdd": SPOT_RATES[0][1],
        "tiers": {"vip": vip, "mm": makers},
        "referralDiscount": "0.04",
        "stakingDiscountTiers": [
            {"bpsOfMaxSupply": share, "discount": discount} for share, discount in STAKING_TIERS
        ],
    }


def iso_date(day: int) -> str:
    """The date of a day counted from 1 January 1970, by the Gregorian calendar.

    Years are counted from March, so that a leap day ends one; 400 of them are an era of 146 097
    days (Hinnant, chrono-compatible low-level date algorithms).
    """
    era, in_era = divmod(day + 719_468, 146_097)
    year = (in_era - in_era // 1_460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    date = in_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return f"{400 * era + year + (month <= 2):04d}-{month:02d}-{date:02d}"
