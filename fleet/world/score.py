"""What a run earned, market by market: fills, P&L with its parts, markouts, inventory."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from agents.market.types import Coin
from agents.market.units import BPS, NS_PER_S
from agents.sim.outputs import FillRow, Output
from fleet.gateway.core.orders import dex_of
from fleet.world.world import World

HORIZONS_S: Final = (1, 10, 60)
SAMPLE_NS: Final = NS_PER_S
ZERO: Final = Decimal(0)


class Pnl(msgspec.Struct, frozen=True):
    """total = realized + unrealized - fees + funding, in the DEX's token at 1 USD.

    ``components``: ``spread_usd`` is what fills were better than the mid of their moment,
    ``inventory_usd`` what the mid did to the position afterwards; the two less fees are the total.
    """

    since_ms: int
    total_usd: float
    realized_usd: float
    unrealized_usd: float
    fees_usd: float
    funding_usd: float
    reconciled: bool
    components: dict[str, float]


class MarketScore(msgspec.Struct, frozen=True):
    """One market's row of ``fleet replay -o json``. Markouts weigh each fill by its notional."""

    market: str
    fills: int
    taker_fills: int
    volume_usd: float
    quote_uptime_share: float | None
    pnl: Pnl
    markout_bps: dict[str, float | None]
    inventory_max_usd: float
    requests: int


class _Tally:
    """What is summed up over one market's fills."""

    def __init__(self) -> None:
        self.fills = self.taker_fills = 0
        self.volume_usd = self.realized_usd = self.fees_usd = ZERO
        self.position_sz = ZERO
        self.spread_usd = 0.0
        self.inventory_max_usd = 0.0
        self.markouts = {horizon_s: [0.0, 0.0] for horizon_s in HORIZONS_S}
        self.due_s = self.up_s = 0.0


class Score:
    """Listens to a world's blocks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._since_ms = world.now_ms
        self._tallies = {market: _Tally() for market in world.markets}
        world.on_block = self._after_block
        world.heap.every(SAMPLE_NS, "score", self._sample)

    def _mid_px(self, market: str) -> Decimal | None:
        if self._world.venue.market.dark(market):
            return None
        return self._world.exchange.floor.mid_px(Coin(market))

    def _after_block(self, outputs: tuple[Output, ...]) -> None:
        for output in outputs:
            if isinstance(output, FillRow):
                self._fill(output.row)

    def _fill(self, row: dict[str, Any]) -> None:
        market = row["coin"]
        tally, px, sz = self._tallies[market], Decimal(row["px"]), Decimal(row["sz"])
        sign = 1 if row["side"] == "B" else -1
        tally.fills += 1
        tally.taker_fills += bool(row["crossed"])
        tally.volume_usd += px * sz
        tally.realized_usd += Decimal(row["closedPnl"])
        tally.fees_usd += Decimal(row["fee"])
        tally.position_sz += sign * sz
        mid_px = self._mid_px(market)
        if mid_px is not None:
            tally.spread_usd += float(sign * (mid_px - px) * sz)
            for horizon_s in HORIZONS_S:
                self._mark_later(tally, market, sign, (px, sz), horizon_s)
        self._inventory(market)

    def _mark_later(
        self, tally: _Tally, market: str, sign: int, traded: tuple[Decimal, Decimal], horizon_s: int
    ) -> None:
        def look() -> None:
            mid_px = self._mid_px(market)
            if mid_px is not None:
                px, sz = traded
                weight = float(px * sz)
                sums = tally.markouts[horizon_s]
                sums[0] += weight * BPS * float(sign * (mid_px - px) / px)
                sums[1] += weight

        self._world.heap.after(horizon_s * NS_PER_S, "markout", look)

    def _inventory(self, market: str) -> None:
        mid_px, tally = self._world.exchange.floor.mid_px(Coin(market)), self._tallies[market]
        if mid_px is not None:
            held_usd = abs(float(tally.position_sz * mid_px))
            tally.inventory_max_usd = max(tally.inventory_max_usd, held_usd)

    def _sample(self) -> None:
        for market in self._tallies:
            self._inventory(market)

    def rows(self) -> list[MarketScore]:
        """As of now; positions are valued at the mark."""
        return [self._row(market, tally) for market, tally in self._tallies.items()]

    def _row(self, market: str, tally: _Tally) -> MarketScore:
        held = self._world.account.clearing(dex_of(market)).positions.get(Coin(market))
        mark_px = self._world.exchange.floor.mark_px(Coin(market))
        unrealized = ZERO if held is None else held.szi * (mark_px - held.entry_px)
        true_sz = ZERO if held is None else held.szi
        total = float(tally.realized_usd + unrealized - tally.fees_usd)
        fees = float(tally.fees_usd)
        uptime = self._world.uptime(market)
        return MarketScore(
            market=market,
            fills=tally.fills,
            taker_fills=tally.taker_fills,
            volume_usd=_usd(tally.volume_usd),
            quote_uptime_share=None if uptime is None else round(uptime, 4),
            pnl=Pnl(
                since_ms=self._since_ms,
                total_usd=_usd(total),
                realized_usd=_usd(tally.realized_usd),
                unrealized_usd=_usd(unrealized),
                fees_usd=_usd(fees),
                funding_usd=0.0,
                reconciled=tally.position_sz == true_sz,
                components={
                    "spread_usd": _usd(tally.spread_usd),
                    "inventory_usd": _usd(total + fees - tally.spread_usd),
                    "fees_usd": _usd(-fees),
                },
            ),
            markout_bps={
                f"{horizon_s}s": round(usd / weight, 3) if weight else None
                for horizon_s, (usd, weight) in tally.markouts.items()
            },
            inventory_max_usd=_usd(tally.inventory_max_usd),
            requests=self._world.checks.requests[market],
        )


def _usd(value: Decimal | float) -> float:
    return round(float(value), 6)
