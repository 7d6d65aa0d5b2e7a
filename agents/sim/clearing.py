"""One address's money on one DEX: balance, positions and what orders hold, in exact Decimals.

A fill moves cash as `raw_usd -= side * px * sz`, so that

    account value = raw_usd + sum(szi * mark)

for the cross part; an isolated position has a `raw_usd` of its own by the same rule, into which
initial margin moves at the fill that opens it and out of which it comes back, pro rata, when the
position shrinks. Nothing is rounded on the way but those two transfers, at six decimals, so money
is neither made nor lost.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Final, Literal

import msgspec

from agents.market.types import Coin, Side
from agents.sim.fees import MICRO
from agents.sim.universe import Listing

Marks = Callable[[Coin], Decimal]
"""The mark price of a coin."""

ZERO: Final = Decimal(0)


class Leverage(msgspec.Struct, frozen=True):
    value: int
    isolated: bool


class Position(msgspec.Struct):
    """``szi`` signed and never zero; ``raw_usd`` is the isolated position's own cash, else 0.

    ``paid_…``: funding paid since it was opened, and since its size last changed.
    """

    szi: Decimal
    entry_px: Decimal
    raw_usd: Decimal = ZERO
    paid_open_usd: Decimal = ZERO
    paid_change_usd: Decimal = ZERO

    @property
    def side(self) -> Side:
        return Side.BID if self.szi > 0 else Side.ASK


class Hold(msgspec.Struct):
    """Notional of the resting orders that may add to a position, a side, at their limits."""

    bid_usd: Decimal = ZERO
    ask_usd: Decimal = ZERO

    def add(self, side: Side, usd: Decimal) -> None:
        if side is Side.BID:
            self.bid_usd += usd
        else:
            self.ask_usd += usd


class FillEffect(msgspec.Struct, frozen=True):
    """What a fill did to the position. ``closed_pnl_usd`` excludes the fee, six decimals."""

    start_sz: Decimal
    closed_pnl_usd: Decimal
    direction: str


class Clearing:
    """One address's money on one DEX."""

    def __init__(self) -> None:
        self.raw_usd = ZERO
        self.positions: dict[Coin, Position] = {}
        self.leverages: dict[Coin, Leverage] = {}
        self.holds: dict[Coin, Hold] = {}
        self.paid_usd: dict[Coin, Decimal] = {}

    def leverage(self, listing: Listing) -> Leverage:
        """As set, else the venue's default."""
        chosen = self.leverages.get(listing.coin)
        return chosen or Leverage(listing.leverage_default, listing.isolated_only)

    def hold(self, coin: Coin) -> Hold:
        hold = self.holds.get(coin)
        if hold is None:
            hold = self.holds[coin] = Hold()
        return hold

    def szi(self, coin: Coin) -> Decimal:
        position = self.positions.get(coin)
        return position.szi if position else ZERO

    def fill(self, listing: Listing, side: Side, px: Decimal, sz: Decimal) -> FillEffect:
        """Move cash and position; the fee is the caller's. A flip closes first, then opens."""
        coin = listing.coin
        leverage = self.leverages.setdefault(coin, self.leverage(listing))
        self.hold(coin)
        position = self.positions.get(coin)
        start_sz = position.szi if position else ZERO
        closing_sz, pnl_usd = ZERO, ZERO
        if position is not None and position.side is not side:
            closing_sz = min(sz, abs(start_sz))
            pnl_usd = self._close(coin, position, px, closing_sz, isolated=leverage.isolated)
        if sz > closing_sz:
            self._open(coin, side, px, sz - closing_sz, leverage)
        return FillEffect(start_sz, pnl_usd, _direction(start_sz, self.szi(coin)))

    def _close(
        self, coin: Coin, position: Position, px: Decimal, sz: Decimal, *, isolated: bool
    ) -> Decimal:
        sign = position.side.sign
        before_sz = abs(position.szi)
        pnl_usd = (sign * sz * (px - position.entry_px)).quantize(MICRO)
        cash_usd = sign * px * sz
        position.szi -= sign * sz
        position.paid_change_usd = ZERO
        if not isolated:
            self.raw_usd += cash_usd
        else:
            position.raw_usd += cash_usd
            equity_usd = position.raw_usd + px * position.szi
            released_usd = (equity_usd * sz / before_sz).quantize(MICRO, rounding=ROUND_DOWN)
            if not position.szi:
                released_usd = position.raw_usd
            position.raw_usd -= released_usd
            self.raw_usd += released_usd
        if not position.szi:
            del self.positions[coin]
        return pnl_usd

    def _open(self, coin: Coin, side: Side, px: Decimal, sz: Decimal, leverage: Leverage) -> None:
        cash_usd = side.sign * px * sz
        position = self.positions.get(coin)
        if position is None:
            position = self.positions[coin] = Position(side.sign * sz, px)
        else:
            held_sz = abs(position.szi)
            position.entry_px = (position.entry_px * held_sz + px * sz) / (held_sz + sz)
            position.szi += side.sign * sz
            position.paid_change_usd = ZERO
        if not leverage.isolated:
            self.raw_usd -= cash_usd
            return
        margin_usd = (px * sz / leverage.value).quantize(MICRO, rounding=ROUND_UP)
        self.raw_usd -= margin_usd
        position.raw_usd += margin_usd - cash_usd

    def cross_equity_usd(self, marks: Marks) -> Decimal:
        """Balance plus cross positions at their marks."""
        value = self.raw_usd
        for coin, position in self.positions.items():
            if not self.isolated(coin):
                value += position.szi * marks(coin)
        return value

    def isolated(self, coin: Coin) -> bool:
        """Whether an open position of this coin is isolated (its leverage is set at the latest
        when it opens).
        """
        return self.leverages[coin].isolated

    def margin_usd(self, coin: Coin, leverage: Leverage, marks: Marks) -> Decimal:
        """What the coin's position and resting orders bind of the cross equity.

        The worse of the two positions that its resting orders could lead to, at its leverage;
        an isolated position holds its own margin already, so only its orders count.
        """
        position, hold = self.positions.get(coin), self.holds.get(coin)
        value = position.szi * marks(coin) if position else ZERO
        bid_usd, ask_usd = (hold.bid_usd, hold.ask_usd) if hold else (ZERO, ZERO)
        worst_usd = max(value + bid_usd, ask_usd - value)
        if leverage.isolated:
            worst_usd = max(ZERO, worst_usd - abs(value))
        return worst_usd / leverage.value

    def bound_usd(self, marks: Marks, listings: Callable[[Coin], Listing]) -> Decimal:
        """The sum of ``margin_usd`` over every coin with a position or an order."""
        total = ZERO
        for coin, hold in self.holds.items():
            if coin in self.positions or hold.bid_usd or hold.ask_usd:
                total += self.margin_usd(coin, self.leverage(listings(coin)), marks)
        return total


Direction = Literal[
    "Open Long", "Open Short", "Close Long", "Close Short", "Long > Short", "Short > Long"
]


def _direction(start_sz: Decimal, end_sz: Decimal) -> Direction:
    if start_sz > 0:
        if end_sz < 0:
            return "Long > Short"
        return "Open Long" if end_sz > start_sz else "Close Long"
    if start_sz < 0:
        if end_sz > 0:
            return "Short > Long"
        return "Open Short" if end_sz < start_sz else "Close Short"
    return "Open Long" if end_sz > 0 else "Open Short"
