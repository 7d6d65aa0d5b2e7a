"""Isolated positions are topped up within ``margin_usd``. Pure.

    equity  = raw + position * mark            what the position has of its own
    wanted  = |position| * mark / leverage     what a new position of its size would be given
    put in  = raw + position * entry           what it was given so far, at the price it was made
    top-up  = min(wanted - equity, margin_usd / token mark - put in, what is free on the DEX)

It happens where the equity is below four fifths of what is wanted. The venue's own frame tells all
of it, so nothing has to be remembered, and one frame's top-up is asked for under one key.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Final

import msgspec

from agents.market.instrument import Instrument
from fleet.gateway.api import ActionPost, DexView, MarketView

LOW_SHARE: Final = Decimal("0.8")
LEAST: Final = Decimal(1)
_CENT: Final = Decimal("0.01")
_MICRO: Final = 1_000_000


class TopUp(msgspec.Struct, frozen=True):
    """So much of the DEX's collateral into one position."""

    market: str
    amount: Decimal
    as_of_ms: int


def top_up(view: MarketView, dex: DexView) -> TopUp | None:
    """What the position needs and may have; None: nothing, or its frame is not known yet."""
    raw, sz, entry_px, mark_px = view.isolated_raw, view.position_sz, view.entry_px, view.mark_px
    if raw is None or entry_px is None or mark_px is None or not sz or view.draining:
        return None
    mark = Decimal(repr(mark_px))
    wanted = abs(sz) * mark / view.settings.leverage
    equity = raw + sz * mark
    if equity >= LOW_SHARE * wanted:
        return None
    cap = Decimal(repr(view.settings.margin_usd / (dex.token_mark_usd or 1.0)))
    put_in = raw + sz * entry_px
    free = dex.account_value - dex.margin_used
    amount = min(wanted - equity, cap - put_in, free).quantize(_CENT, ROUND_DOWN)
    return TopUp(view.market, amount, view.position_as_of_ms) if amount >= LEAST else None


def action(step: TopUp, instrument: Instrument) -> ActionPost:
    """``updateIsolatedMargin``, under a key that one frame of the venue gives once."""
    told = {
        "type": "updateIsolatedMargin",
        "asset": instrument.asset_id,
        "isBuy": True,
        "ntli": int(step.amount * _MICRO),
    }
    return ActionPost(action=told, key=f"margin-{step.market}-{step.as_of_ms}")
