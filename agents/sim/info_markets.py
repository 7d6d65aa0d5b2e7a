"""``/info`` about markets: listings, contexts, books, mids, trades."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from agents.market.types import Coin
from agents.sim import rows
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.market import Touch
from agents.sim.universe import TOKEN_INDEX, AssetSpec, DexSpec, Listing

NEVER: Final = "1970-01-01T00:00:00"
BOOK_DEPTH: Final = 20
RAW_DEPTH: Final = 10_000
IMPACT_USD: Final = Decimal(6_000)
IMPACT_MAJOR_USD: Final = Decimal(20_000)
MAJORS: Final = frozenset({"BTC", "ETH"})
SPOT_PAIRS: Final = {"USDE": 150, "USDH": 230, "USDT0": 166}
"""Spot pair against USDC by token; its name is ``@index``."""


def meta(dex: DexSpec) -> rows.Row:
    return {
        "universe": [_universe_row(dex, spec) for spec in dex.assets],
        "marginTables": [],
        "collateralToken": TOKEN_INDEX[dex.token],
    }


def _universe_row(dex: DexSpec, spec: AssetSpec) -> rows.Row:
    row: rows.Row = {
        "szDecimals": spec.sz_decimals,
        "name": spec.name,
        "maxLeverage": spec.leverage_max,
        "marginTableId": spec.leverage_max,
    }
    if spec.margin_mode != "normal":
        row |= {"onlyIsolated": True, "marginMode": spec.margin_mode}
    if spec.delisted:
        row["isDelisted"] = True
    if dex.name:
        if spec.growth:
            row["growthMode"] = "enabled"
        row["lastFeeScaleChangeTime"] = NEVER
        row["deployerFeeScale"] = rows.number(spec.deployer_fee_scale)
    return row


def meta_and_ctxs(floor: Floor, dex: DexSpec) -> list[object]:
    return [meta(dex), [asset_ctx(floor, spec.name) for spec in dex.assets]]


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
        "assetToStreamingOiCap": [[spec.name, "100000000.0"] for spec in dex.assets],
        "subDeployers": [],
        "assetToFundingMultiplier": [],
        "assetToFundingInterestRate": [],
    }


def perp_dex_limits(dex: DexSpec) -> rows.Row:
    return {
        "totalOiCap": "1000000000.0",
        "oiSzCapPerPerp": "1000000000.0",
        "maxTransferNtl": "100000000.0",
        "coinToOiCap": [[spec.name, "100000000.0"] for spec in dex.assets],
    }


def spot_meta() -> rows.Row:
    """The collateral tokens, each with its pair against USDC."""
    pairs = [
        {"tokens": [TOKEN_INDEX[token], 0], "name": f"@{index}", "index": index}
        | {"isCanonical": False}
        for token, index in SPOT_PAIRS.items()
    ]
    return {"universe": pairs, "tokens": [_token_row(name) for name in TOKEN_INDEX]}


def _token_row(name: str) -> rows.Row:
    return {
        "name": name,
        "szDecimals": 8 if name == "USDC" else 2,
        "weiDecimals": 8,
        "index": TOKEN_INDEX[name],
        "tokenId": token_id(name),
        "isCanonical": True,
        "evmContract": None,
        "fullName": None,
        "deployerTradingFeeShare": "0.0",
    }


def token_id(name: str) -> str:
    """The 128-bit id by which transfers name a token."""
    if name == "USDC":
        return "0x6d1e7cde53ba9467b783cb7c530ce054"
    return rows.pseudo_address(name)[:34]


def spot_meta_and_ctxs() -> list[object]:
    ctxs = [
        {
            "prevDayPx": "1.0",
            "dayNtlVlm": "0.0",
            "markPx": "1.0",
            "midPx": "1.0",
            "circulatingSupply": "0.0",
            "coin": f"@{index}",
            "totalSupply": "0.0",
            "dayBaseVlm": "0.0",
        }
        for index in SPOT_PAIRS.values()
    ]
    return [spot_meta(), ctxs]


def all_mids(floor: Floor, dex: DexSpec) -> dict[str, str]:
    """Mid, or the last trade where a side is empty. The main DEX's answer has the spot pairs."""
    mids: dict[str, str] = {}
    for coin in floor.universe.coins(dex.name):
        mid = floor.mid_px(coin)
        mids[coin] = rows.number(floor.tallies[coin].last_px if mid is None else mid)
    if not dex.name:
        mids |= {f"@{index}": "1.0" for index in SPOT_PAIRS.values()}
    return mids


def asset_ctx(floor: Floor, coin: Coin) -> rows.Row:
    """The context of a coin; no funding is charged yet, so none is shown."""
    listing, tally = floor.listing(coin), floor.tallies[coin]
    mark_px, oracle_px, mid_px = floor.mark_px(coin), floor.oracle_px(coin), floor.mid_px(coin)
    impact = _impact_pxs(floor, listing)
    premium = None if impact is None else _premium(impact, oracle_px)
    return {
        "funding": "0.0",
        "openInterest": rows.number(max(tally.long_sz, tally.short_sz)),
        "prevDayPx": rows.number(tally.previous_px),
        "dayNtlVlm": rows.number(tally.day_usd),
        "premium": None if premium is None else rows.fine(premium),
        "oraclePx": rows.px_number(oracle_px, listing),
        "markPx": rows.px_number(mark_px, listing),
        "midPx": None if mid_px is None else rows.number(mid_px),
        "impactPxs": None if impact is None else [rows.px_number(px, listing) for px in impact],
        "dayBaseVlm": rows.number(tally.day_sz),
    }


def _premium(impact: tuple[Decimal, Decimal], oracle_px: Decimal) -> Decimal:
    bid_px, ask_px = impact
    above, below = max(bid_px - oracle_px, ZERO), max(oracle_px - ask_px, ZERO)
    return (above - below) / oracle_px


def _impact_pxs(floor: Floor, listing: Listing) -> tuple[Decimal, Decimal] | None:
    """Average prices for the impact notional, bid and ask; None without a two-sided book."""
    market = floor.markets.get(listing.coin)
    bids, asks = market.levels(BOOK_DEPTH) if market is not None else ([], [])
    if not bids or not asks:
        return None
    notional_usd = IMPACT_MAJOR_USD if listing.coin in MAJORS else IMPACT_USD
    return _average_px(bids, notional_usd), _average_px(asks, notional_usd)


def _average_px(levels: list[Touch], notional_usd: Decimal) -> Decimal:
    left_usd, sz = notional_usd, ZERO
    for level in levels:
        taken_usd = min(left_usd, level.px * level.sz)
        sz += taken_usd / level.px
        left_usd -= taken_usd
        if not left_usd:
            break
    return (notional_usd - left_usd) / sz


def bbo_row(floor: Floor, coin: Coin) -> rows.Row:
    bid, ask = floor.markets[coin].touch()
    bbo = [rows.touch_row(bid), rows.touch_row(ask)]
    return {"coin": coin, "time": floor.now_ms, "bbo": bbo}


def l2_row(
    floor: Floor, coin: Coin, depth: int, n_sig_figs: int | None, mantissa: int | None
) -> rows.Row:
    """The book, aggregated where figures are named: bids round down, asks up, sizes add."""
    market = floor.markets[coin]
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
