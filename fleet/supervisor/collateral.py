"""What a DEX needs, what is there, and from where the rest may come. Pure.

    needed  = sum of the margins of the markets that shall run there / the token's mark
    missing = needed - account value, where that is more than a hundredth of what is needed
    a move  = from spot, else from a DEX with the same collateral, what is free beyond its own needs

A market that began under its revision is not asked again: a loss must not keep it from a restart.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_UP, Decimal
from typing import Final

import msgspec

from agents.market.instrument import Instrument
from agents.settings import MarketSettings
from fleet.gateway.api import DexView
from fleet.supervisor.transfers import SPOT, Move

SLACK_SHARE: Final = Decimal("0.01")
STEP: Final = Decimal("0.01")
DUST: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)
UNSUITED: Final = frozenset({"unifiedAccount", "portfolioMargin", "dexAbstraction"})
"""Account modes in which a DEX's margin is not its own."""


class Shortage(msgspec.Struct, frozen=True):
    """One DEX, in its own token. ``missing`` 0: covered."""

    dex: str
    token: str
    needed: Decimal
    there: Decimal
    missing: Decimal


def dex_of(market: str) -> str:
    return market.rpartition(":")[0]


def margins_usd(settings: Iterable[MarketSettings]) -> dict[str, float]:
    """What the markets of each DEX may bind."""
    sums: dict[str, float] = {}
    for each in settings:
        dex = dex_of(each.market)
        sums[dex] = sums.get(dex, 0.0) + each.margin_usd
    return sums


def shortages(needed_usd: Mapping[str, float], views: Iterable[DexView]) -> dict[str, Shortage]:
    """Each DEX that is needed and seen; one whose account is not known yet is left out."""
    found = {}
    for view in views:
        usd = needed_usd.get(view.dex)
        if usd is None:
            continue
        needed = Decimal(repr(usd / (view.token_mark_usd or 1.0))).quantize(STEP, ROUND_UP)
        missing = needed - view.account_value
        if missing <= SLACK_SHARE * needed:
            missing = _ZERO
        found[view.dex] = Shortage(
            view.dex, view.token, needed, view.account_value, missing.quantize(STEP, ROUND_UP)
        )
    return found


def move_for(
    short: Shortage,
    spot_free: Decimal,
    free: Mapping[str, Decimal],
    tokens: Mapping[str, str],
    needed: Mapping[str, Shortage],
) -> Move | None:
    """The next move towards what is missing; None where nothing can be had.

    ``free``: what may leave each DEX now; ``tokens``: each DEX's collateral. A DEX that is not of
    this manifest is not touched, but for the main one.
    """
    if spot_free > DUST:
        return Move(short.token, SPOT, short.dex, _cents(min(short.missing, spot_free)))
    for dex, amount in sorted(free.items(), key=lambda item: -item[1]):
        if dex == short.dex or tokens.get(dex) != short.token:
            continue
        own = needed.get(dex)
        if own is None and dex:
            continue
        left = amount if own is None else min(amount, own.there - own.needed)
        if left > DUST:
            return Move(short.token, dex, short.dex, _cents(min(short.missing, left)))
    return None


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(STEP, rounding="ROUND_DOWN")


def lacking(short: Shortage) -> str:
    """The shortage and its mend, for people."""
    where = f"DEX {short.dex}" if short.dex else "the main DEX"
    verb = "deposit" if short.token == "USDC" else "buy"
    return (
        f"{where} holds {short.there:,.2f} of the {short.needed:,.2f} {short.token} that its"
        f" markets' margin_usd need; {verb} {short.missing:,.2f} {short.token}, or lower margin_usd"
    )


def unfit(settings: MarketSettings, instrument: Instrument | None, mode: str | None) -> str | None:
    """Why a market can't be begun as the venue lists it; None: it can."""
    if instrument is None:
        return f"the venue lists no market {settings.market}"
    if instrument.delisted:
        return f"{settings.market} is delisted"
    if settings.leverage > instrument.leverage_max:
        return f"leverage {settings.leverage} is above the venue's {instrument.leverage_max}"
    if mode in UNSUITED:
        return f"the account is in the mode {mode}, whose margin is not per DEX; disable it first"
    return None
