"""``/info`` about markets: listings, contexts, books, mids, trades."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from agents.market.types import Coin
from agents.sim import info_spot as spot
from agents.sim import rows
from agents.sim.floor import Floor
from agents.sim.funding import HOUR_MS, hourly_rate
from agents.sim.market import Touch
from agents.sim.open_interest import SIZE_MAX
from agents.sim.premiums import impact_pxs, premium
from agents.sim.tiers import TABLES, table_id
from agents.sim.universe import TOKEN_INDEX, AssetSpec, DexSpec

NEVER: Final = "1970-01-01T00:00:00"
IMPLICIT_BELOW: Final = 50
BOOK_DEPTH: Final = 20
RAW_DEPTH: Final = 10_000


def meta(floor: Floor, dex: DexSpec) -> rows.Row:
    return {
        "universe": [
            _universe_row(dex, spec, delisted=spec.name in floor.delisted) for spec in dex.assets
        ],
        "marginTables": [
            [table, margin_table(table)]
            for table in sorted({spec.margin_table for spec in dex.assets} - {0})
        ],
        "collateralToken": TOKEN_INDEX[dex.token],
    }


def _universe_row(dex: DexSpec, spec: AssetSpec, *, delisted: bool) -> rows.Row:
    row: rows.Row = {
        "szDecimals": spec.sz_decimals,
        "name": spec.name,
        "maxLeverage": spec.leverage_max,
        "marginTableId": table_id(spec),
    }
    if spec.margin_mode != "normal":
        row |= {"onlyIsolated": True, "marginMode": spec.margin_mode}
    if delisted:
        row["isDelisted"] = True
    if dex.name:
        if spec.growth:
            row["growthMode"] = "enabled"
        row["lastFeeScaleChangeTime"] = NEVER
        row["deployerFeeScale"] = rows.number(spec.deployer_fee_scale)
    return row


def margin_table(table: int) -> rows.Row | None:
    """A table by its id; ids below 50 are of one tier and exist without being listed."""
    found = TABLES.get(table)
    if found is None:
        if not 1 <= table < IMPLICIT_BELOW:
            return None
        return {"description": "", "marginTiers": [_tier(0, table)]}
    tiers = [_tier(0, found.leverage_max), _tier(found.lower_usd, found.leverage_above)]
    return {"description": found.description, "marginTiers": tiers}


def _tier(lower_usd: int, leverage_max: int) -> rows.Row:
    return {"lowerBound": f"{lower_usd}.0", "maxLeverage": leverage_max}


def predicted_fundings(floor: Floor, now_ms: int) -> list[object]:
    """The main DEX's coins; other venues are not known here."""
    next_ms = (now_ms // HOUR_MS + 1) * HOUR_MS
    found: list[object] = []
    for coin in floor.universe.coins(""):
        if coin in floor.delisted:
            continue
        rate = rows.fine(hourly_rate(floor, floor.listing(coin))[0])
        here = {"fundingRate": rate, "nextFundingTime": next_ms, "fundingIntervalHours": 1}
        found.append([coin, [["BinPerp", None], ["HlPerp", here], ["BybitPerp", None]]])
    return found


def meta_and_ctxs(floor: Floor, dex: DexSpec) -> list[object]:
    return [meta(floor, dex), [asset_ctx(floor, spec.name) for spec in dex.assets]]


def perp_dexs(floor: Floor) -> list[object]:
    """Null for the main DEX, then the others; the position is the DEX's index."""
    return [None, *(_dex_row(dex) for dex in floor.universe.dexes[1:])]


def _dex_row(dex: DexSpec) -> rows.Row:
    return {
        "name": dex.name,
        "fullName": dex.full_name,
        "deployer": dex.deployer,
        "oracleUpdater": None,
        "feeRecipient": dex.deployer,
        "assetToStreamingOiCap": _caps(dex),
        "subDeployers": [],
        "assetToFundingMultiplier": [
            [spec.name, rows.number(spec.funding_multiplier)]
            for spec in dex.assets
            if spec.funding_multiplier != 1
        ],
        "assetToFundingInterestRate": [],
    }


def _caps(dex: DexSpec) -> list[list[str]]:
    return [
        [spec.name, rows.number(spec.oi_cap_usd)]
        for spec in dex.assets
        if spec.oi_cap_usd is not None
    ]


def perp_dex_limits(dex: DexSpec) -> rows.Row:
    return {
        "totalOiCap": rows.number(dex.oi_cap_usd),
        "oiSzCapPerPerp": rows.number(SIZE_MAX),
        "maxTransferNtl": "100000000.0",
        "coinToOiCap": _caps(dex),
    }


def all_mids(floor: Floor, dex: DexSpec) -> dict[str, str]:
    """Mid, or the last trade where a side is empty. The main DEX's answer has the spot pairs."""
    mids: dict[str, str] = {}
    for coin in floor.universe.coins(dex.name):
        if coin in floor.delisted:
            continue
        mid = floor.mid_px(coin)
        mids[coin] = rows.number(floor.tallies[coin].last_px if mid is None else mid)
    if not dex.name:
        mids |= dict.fromkeys(spot.COINS, spot.PX)
    return mids


def asset_ctx(floor: Floor, coin: Coin) -> rows.Row:
    """The context of a coin; made once while nothing changes, so never to be altered."""
    context = floor.contexts.get(coin)
    if context is None:
        context = floor.contexts[coin] = _context(floor, coin)
    return context


def _context(floor: Floor, coin: Coin) -> rows.Row:
    listing, tally = floor.listing(coin), floor.tallies[coin]
    mark_px, oracle_px, mid_px = floor.mark_px(coin), floor.oracle_px(coin), floor.mid_px(coin)
    impact = impact_pxs(floor, listing)
    over = None if impact is None else premium(listing, impact, oracle_px)
    return {
        "funding": rows.fine(hourly_rate(floor, listing)[0]),
        "openInterest": rows.number(max(tally.long_sz, tally.short_sz)),
        "prevDayPx": rows.number(tally.previous_px),
        "dayNtlVlm": rows.number(tally.day_usd),
        "premium": None if over is None else rows.fine(over),
        "oraclePx": rows.px_number(oracle_px, listing),
        "markPx": rows.px_number(mark_px, listing),
        "midPx": None if mid_px is None else rows.number(mid_px),
        "impactPxs": None if impact is None else [rows.px_number(px, listing) for px in impact],
        "dayBaseVlm": rows.number(tally.day_sz),
    }


def bbo_row(floor: Floor, coin: Coin) -> rows.Row:
    """A delisted coin has no market: both sides are null."""
    market = floor.markets.get(coin)
    if market is None:
        return spot.bbo(coin, floor.now_ms)
    bid, ask = market.touch()
    bbo = [rows.touch_row(bid), rows.touch_row(ask)]
    return {"coin": coin, "time": floor.now_ms, "bbo": bbo}


def l2_row(
    floor: Floor, coin: Coin, depth: int, n_sig_figs: int | None, mantissa: int | None
) -> rows.Row:
    """The book, aggregated where figures are named: bids round down, asks up, sizes add."""
    market = floor.markets.get(coin)
    if market is None:  # delisted
        return spot.book(coin, floor.now_ms)
    if n_sig_figs is None:
        bids, asks = market.levels(depth)
    else:
        bids, asks = market.levels(RAW_DEPTH)
    row: rows.Row = {"coin": coin, "time": floor.now_ms}
    if n_sig_figs is None:
        return row | {"levels": [[_level(bid) for bid in bids], [_level(ask) for ask in asks]]}
    grouped = [
        _grouped(bids, ROUND_FLOOR, n_sig_figs, mantissa or 1)[:depth],
        _grouped(asks, ROUND_CEILING, n_sig_figs, mantissa or 1)[:depth],
    ]
    row["levels"] = [[_level(level) for level in side] for side in grouped]
    if bids and asks:
        row["spread"] = rows.number(asks[0].px - bids[0].px)
    return row


def _level(touch: Touch) -> rows.Row:
    return rows.level_row(touch.px, touch.sz, touch.n)


def _grouped(levels: list[Touch], rounding: str, n_sig_figs: int, mantissa: int) -> list[Touch]:
    """Buckets of 10^(digits - figures) * mantissa, digits being the best price's."""
    if not levels:
        return []
    width = Decimal(mantissa).scaleb(levels[0].px.adjusted() + 1 - n_sig_figs)
    grouped: list[Touch] = []
    for level in levels:
        px = (level.px / width).to_integral_value(rounding) * width
        if grouped and grouped[-1].px == px:
            last = grouped[-1]
            grouped[-1] = Touch(px, last.sz + level.sz, last.n + level.n)
        else:
            grouped.append(Touch(px, level.sz, level.n))
    return grouped


def recent_trades(floor: Floor, coin: Coin) -> list[rows.Row]:
    """Newest first."""
    return [
        {
            "coin": trade.coin,
            "side": trade.side,
            "px": trade.px,
            "sz": trade.sz,
            "time": trade.time,
            "hash": trade.hash,
            "tid": trade.tid,
            "users": list(trade.users),
        }
        for trade in reversed(floor.tallies[coin].trades)
    ][:10]
