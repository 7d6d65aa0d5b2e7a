"""Hourly funding: premiums sampled each five seconds, charged on the hour at the oracle price.

    F (8 h) = P + clamp(I - P, -0.0005, 0.0005),  I = 0.0001,  hourly = F / 8, at most 4 %
    payment = szi * oracle * hourly rate; longs pay where it is positive

P is the mean premium of the hour; a builder-deployed asset's rate is scaled by its multiplier.
Source: protocol 9.2.
"""

from decimal import Decimal
from typing import Final

from agents.sim import rows
from agents.sim.accounts import Account
from agents.sim.clearing import ZERO, Clearing, Position
from agents.sim.fees import MICRO
from agents.sim.floor import Floor
from agents.sim.premiums import impact_pxs, premium
from agents.sim.universe import Listing

SAMPLE_MS: Final = 5_000
HOUR_MS: Final = 3_600_000
INTEREST: Final = Decimal("0.0001")
CLAMP: Final = Decimal("0.0005")
HOURS: Final = 8
RATE_MAX: Final = Decimal("0.04")
NO_HASH: Final = "0x" + "0" * 64
_FINE: Final = Decimal("1e-10")


def tick_funding(floor: Floor) -> None:
    """Sample premiums each five seconds of the block clock; charge once an hour has ended."""
    before_ms, now_ms = floor.sampled_ms, floor.now_ms
    if before_ms and now_ms // SAMPLE_MS == before_ms // SAMPLE_MS:
        return
    floor.sampled_ms = now_ms
    if before_ms and now_ms // HOUR_MS != before_ms // HOUR_MS:
        charge(floor)
    for coin in floor.markets:
        if coin in floor.halted:
            continue
        listing, tally = floor.listing(coin), floor.tallies[coin]
        impact = impact_pxs(floor, listing)
        if impact is not None:
            found = premium(listing, impact, floor.oracle_px(coin))
            tally.premium_sum += found.quantize(_FINE)
            tally.premium_count += 1


def hourly_rate(floor: Floor, listing: Listing) -> tuple[Decimal, Decimal]:
    """(rate, mean premium) of the hour under way; zeros without a sample."""
    tally = floor.tallies[listing.coin]
    if not tally.premium_count:
        return ZERO, ZERO
    mean = (tally.premium_sum / tally.premium_count).quantize(_FINE)
    eight_hours = mean + min(max(INTEREST - mean, -CLAMP), CLAMP)
    rate = min(max(eight_hours / HOURS, -RATE_MAX), RATE_MAX)
    if listing.hip3:
        rate *= listing.spec.funding_multiplier
    return rate.quantize(_FINE), mean


def charge(floor: Floor) -> None:
    """Move the hour's payments and begin the next hour's mean."""
    rates: dict[str, Decimal] = {}
    for coin in floor.markets:
        listing, tally = floor.listing(coin), floor.tallies[coin]
        if not tally.premium_count:
            continue
        rates[coin], mean = hourly_rate(floor, listing)
        tally.premium_sum, tally.premium_count = ZERO, 0
        row: rows.Row = {"coin": coin, "fundingRate": rows.fine(rates[coin])}
        tally.funding.append(row | {"premium": rows.fine(mean), "time": floor.now_ms})
    for account in floor.accounts.values():
        for clearing in account.clearings.values():
            for coin, position in clearing.positions.items():
                if coin in rates:
                    _pay(floor, account, clearing, floor.listing(coin), position, rates[coin])


def _pay(
    floor: Floor,
    account: Account,
    clearing: Clearing,
    listing: Listing,
    position: Position,
    rate: Decimal,
) -> None:
    coin = listing.coin
    paid_usd = (position.szi * floor.oracle_px(coin) * rate).quantize(MICRO)
    if clearing.isolated(coin):
        position.raw_usd -= paid_usd
    else:
        clearing.raw_usd -= paid_usd
    floor.outside_usd[listing.dex] += paid_usd
    position.paid_open_usd += paid_usd
    position.paid_change_usd += paid_usd
    clearing.paid_usd[coin] = clearing.paid_usd.get(coin, ZERO) + paid_usd
    flat: rows.Row = {
        "coin": coin,
        "usdc": rows.number(-paid_usd),
        "szi": rows.number(position.szi),
        "fundingRate": rows.fine(rate),
        "nSamples": None,
    }
    kept: rows.Row = {"time": floor.now_ms, "hash": NO_HASH, "delta": {"type": "funding"} | flat}
    floor.tell_funding(account, {"time": floor.now_ms} | flat, kept)
    floor.tell_change(account, listing.dex, orders=False, money=True)
