"""The other makers of one market: a ladder on both sides that follows the fair price with a lag."""

import math
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from agents.market.types import Coin, Side
from agents.market.units import BPS
from agents.sim.flow_price import Chance
from agents.sim.flow_profile import Profile
from agents.sim.market import Market, Placement, RestingOrder

MAKER: Final = "flow:maker"
LEVELS: Final = 12
INNER: Final = 4
ANCHORS_BPS: Final = (16.0, 30.0)
REACT_SHARE: Final = 0.7
REFILLS_MAX: Final = 4
SIZE_SD: Final = 0.9
ANCHOR_LEVELS: Final = 10.0
PX_FIGURES: Final = 5
PX_DECIMALS: Final = 6


class Door(Protocol):
    """What flow needs of the exchange; all calls happen inside a block."""

    def place_flow(self, coin: Coin, order: RestingOrder) -> Placement: ...
    def cancel_flow(self, coin: Coin, oid: int) -> bool: ...
    def next_oid(self) -> int: ...
    def set_oracle(self, coin: Coin, px: Decimal) -> None: ...
    def market(self, coin: Coin) -> Market: ...


class Slot(msgspec.Struct):
    """One maker's quote: how far from the fair price it wants to be, and where it is."""

    wanted_bps: float
    size_usd: float
    px: float = 0.0
    oid: int = 0


def on_grid(px: float, sz_decimals: int, *, up: bool) -> tuple[int, int]:
    """``px`` as (ticks, exponent of the tick), rounded up or down to the venue's grid."""
    exponent = math.floor(math.log10(px)) - (PX_FIGURES - 1)
    exponent = min(0, max(exponent, sz_decimals - PX_DECIMALS))
    ticks = px * 10.0**-exponent
    whole = math.ceil(ticks - 1e-9) if up else math.floor(ticks + 1e-9)
    return max(1, whole), exponent


def lots(usd: float, px: float, sz_decimals: int) -> Decimal:
    """A notional in whole lots, one at least."""
    return Decimal(max(1, round(usd / px * 10.0**sz_decimals))).scaleb(-sz_decimals)


class Ladder:
    """Quotes of ``flow:maker`` in one market.

    A few inner slots look at the price in each block, each with some chance, and one outer slot
    in turn; so they are late by some blocks, and what others quote inside them gets filled. Two
    anchors a side lie beyond the reach of any taker: the book is never empty.
    """

    def __init__(self, coin: Coin, sz_decimals: int, character: Profile, chance: Chance) -> None:
        self.coin = coin
        self._sz_decimals = sz_decimals
        self._depth_usd = character.depth_usd
        self._chance = chance
        spread = character.half_spread_bps
        # Level i rests at h + 0.13·i^1.8 bps: dense at the touch, some 11 bps out at the end.
        wanted = [spread + 0.13 * (1.0 + spread) ** 0.5 * i**1.8 for i in range(LEVELS)]
        weight = [min(0.35 + 0.25 * i, 2.0) for i in range(LEVELS)]
        wanted += ANCHORS_BPS
        weight += [ANCHOR_LEVELS] * len(ANCHORS_BPS)
        self._slots = {
            side: [Slot(bps, w * self._depth_usd) for bps, w in zip(wanted, weight, strict=True)]
            for side in Side
        }

    def step(self, door: Door, fair_px: float, now_ms: int) -> None:
        """Pull what is stale, fill what was taken; touch few levels a block."""
        market = door.market(self.coin)
        exponent = on_grid(fair_px, self._sz_decimals, up=False)[1]
        tick_bps = 10.0**exponent / fair_px * BPS
        for side, slots in self._slots.items():
            refills = 0
            outer = INNER + self._chance.randrange(len(slots) - INNER)
            for index, slot in enumerate(slots):
                if slot.oid and market.order(slot.oid) is None:
                    slot.oid = 0
                vacant = not slot.oid
                if vacant and refills < REFILLS_MAX:
                    refills += 1
                elif vacant or (
                    index != outer and (index >= INNER or self._chance.random() > REACT_SHARE)
                ):
                    continue
                if vacant or _stale(slot, side, fair_px, tick_bps):
                    self._requote(door, market, slot, side, fair_px, now_ms)

    def fill(self, door: Door, fair_px: float, now_ms: int) -> None:
        """Quote every slot: the market opens."""
        market = door.market(self.coin)
        for side, slots in self._slots.items():
            for slot in slots:
                self._requote(door, market, slot, side, fair_px, now_ms)

    def _requote(
        self, door: Door, market: Market, slot: Slot, side: Side, fair_px: float, now_ms: int
    ) -> None:
        if slot.oid:
            door.cancel_flow(self.coin, slot.oid)
            slot.oid = 0
        wanted_px = fair_px * (1.0 - side.sign * slot.wanted_bps / BPS)
        ticks, exponent = on_grid(wanted_px, self._sz_decimals, up=side is Side.ASK)
        bid, ask = market.touch()
        opposite = ask if side is Side.BID else bid
        if opposite is not None:
            # Never through the other side: the last passive tick next to it.
            limit = round(float(opposite.px) * 10.0**-exponent) - side.sign
            ticks = min(ticks, limit) if side is Side.BID else max(ticks, limit)
        if ticks < 1:
            return
        px = Decimal(ticks).scaleb(exponent)
        size_usd = slot.size_usd * self._chance.lognormvariate(0.0, SIZE_SD)
        sz = lots(size_usd, fair_px, self._sz_decimals)
        oid = door.next_oid()
        order = RestingOrder(
            oid=oid, owner=MAKER, side=side, px=px, sz=sz, orig_sz=sz, placed_ms=now_ms, tif="Alo"
        )
        if door.place_flow(self.coin, order).resting:
            slot.oid, slot.px = oid, float(px)


def _stale(slot: Slot, side: Side, fair_px: float, tick_bps: float) -> bool:
    """Too near or too far by more than a tick and a part of what it wants."""
    away_bps = side.sign * (fair_px - slot.px) / fair_px * BPS
    return not (0.6 * slot.wanted_bps <= away_bps <= 1.4 * slot.wanted_bps + tick_bps)
