"""Mark and oracle prices as the venue forms them, at each update of the oracle.

Main DEX:  mark = median(oracle + EMA150s(mid - oracle), local, EMA30s(local))
HIP-3:     mark = median(prices the deployer supplies, local), at most 1 % from the last one;
           prices stay within ten times those of the start
local = median(best bid, best ask, last trade). No external venues exist here, hence the third term
of the main rule. Source: protocol 6.5 and 9.3.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents.market.types import Coin
from agents.sim.floor import Floor
from agents.sim.universe import Listing

BASIS_MS: Final = 150_000
LOCAL_MS: Final = 30_000
STEP_SHARE: Final = Decimal("0.01")
DAY_FACTOR: Final = 10
_FINE: Final = Decimal("1e-12")


def set_oracle(floor: Floor, coin: Coin, px: Decimal, supplied: Sequence[Decimal] = ()) -> None:
    """Take an oracle price over, and the mark that follows; ``supplied``: a deployer's marks."""
    listing, tally = floor.listing(coin), floor.tallies[coin]
    if listing.hip3:
        start_px = listing.spec.start_px
        px = min(max(px, start_px / DAY_FACTOR), start_px * DAY_FACTOR)
    dt_ms = floor.now_ms - tally.oracle_ms if tally.oracle_ms is not None else None
    tally.oracle_px, tally.oracle_ms = px, floor.now_ms
    mark_px = _hip3(floor, listing, supplied) if listing.hip3 else _main(floor, listing, dt_ms)
    tally.prior_mark_px = tally.mark_px
    tally.mark_px = mark_px.quantize(Decimal(1).scaleb(-listing.px_decimals))
    floor.forget_mark(coin)


def _main(floor: Floor, listing: Listing, dt_ms: int | None) -> Decimal:
    tally, coin = floor.tallies[listing.coin], listing.coin
    assert tally.oracle_px is not None
    local_px = _local_px(floor, coin)
    mid_px = floor.mid_px(coin)
    basis = (local_px if mid_px is None else mid_px) - tally.oracle_px
    if dt_ms is None:
        tally.basis, tally.local_ema = basis, local_px
    else:
        tally.basis = _follow(tally.basis, basis, dt_ms, BASIS_MS)
        tally.local_ema = _follow(tally.local_ema, local_px, dt_ms, LOCAL_MS)
    return _median([tally.oracle_px + tally.basis, local_px, tally.local_ema])


def _hip3(floor: Floor, listing: Listing, supplied: Sequence[Decimal]) -> Decimal:
    px = _median([*supplied, _local_px(floor, listing.coin)])
    before = floor.tallies[listing.coin].mark_px
    if before is None:
        return px
    return min(max(px, before * (1 - STEP_SHARE)), before * (1 + STEP_SHARE))


def _local_px(floor: Floor, coin: Coin) -> Decimal:
    market, last_px = floor.markets.get(coin), floor.tallies[coin].last_px
    bid, ask = market.touch() if market is not None else (None, None)
    if bid is None or ask is None:
        return last_px
    if coin in floor.taped:  # a tape's prints don't come by the exchange
        return (bid.px + ask.px) / 2
    return _median([bid.px, ask.px, last_px])


def _follow(value: Decimal, target: Decimal, dt_ms: int, memory_ms: int) -> Decimal:
    """One step of an exponential average; its share of the new value is dt / (dt + memory)."""
    return (value + (target - value) * dt_ms / (dt_ms + memory_ms)).quantize(_FINE)


def _median(values: list[Decimal]) -> Decimal:
    values.sort()
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
