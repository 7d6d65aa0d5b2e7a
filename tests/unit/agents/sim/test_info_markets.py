"""Listings, contexts, books and mids, key for key."""

from decimal import Decimal
from typing import Any

import pytest

from agents.market.types import Coin, Side
from agents.sim.info_spot import token_id
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order

CTX_KEYS = [
    "funding", "openInterest", "prevDayPx", "dayNtlVlm", "premium", "oraclePx", "markPx", "midPx",
    "impactPxs", "dayBaseVlm",
]  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_meta_keeps_delisted_assets_and_optional_keys_absent(desk: Desk) -> None:
    main = desk.ask("meta")
    assert list(main) == ["universe", "marginTables", "collateralToken"]
    assert main["universe"][0] == {
        "szDecimals": 5, "name": "BTC", "maxLeverage": 40, "marginTableId": 56,
    }  # fmt: skip
    assert main["universe"][3]["isDelisted"] is True
    crcl = desk.ask("meta", dex="xyz")["universe"][5]
    assert crcl == {
        "szDecimals": 3, "name": "xyz:CRCL", "maxLeverage": 10, "marginTableId": 10,
        "onlyIsolated": True, "marginMode": "strictIsolated", "growthMode": "enabled",
        "lastFeeScaleChangeTime": "1970-01-01T00:00:00", "deployerFeeScale": "1.0",
    }  # fmt: skip
    assert "growthMode" not in desk.ask("meta", dex="hyna")["universe"][0]
    assert desk.ask("meta", dex="hyna")["collateralToken"] == 235
    assert desk.ask("meta", dex="nope") is None


def test_dex_index_is_the_position_behind_a_null(desk: Desk) -> None:
    dexs = desk.ask("perpDexs")
    assert dexs[0] is None
    assert [dex["name"] for dex in dexs[1:]] == ["xyz", "flx", "hyna", "km"]
    metas = desk.ask("allPerpMetas")
    assert [len(meta["universe"]) for meta in metas] == [31, 6, 0, 3, 3]


def test_spot_meta_resolves_every_collateral(desk: Desk) -> None:
    spot = desk.ask("spotMeta")
    tokens = {row["index"]: row["name"] for row in spot["tokens"]}
    for meta in desk.ask("allPerpMetas"):
        assert meta["collateralToken"] in tokens
    for pair in spot["universe"]:
        assert pair["name"] in desk.ask("allMids")
    assert len(token_id("USDE")) == 34


def test_ctxs_align_with_the_universe_and_are_null_without_a_book(desk: Desk) -> None:
    meta, ctxs = desk.ask("metaAndAssetCtxs")
    assert len(meta["universe"]) == len(ctxs)
    for ctx in ctxs:
        assert list(ctx) == CTX_KEYS
    assert (ctxs[3]["midPx"], ctxs[3]["impactPxs"], ctxs[3]["premium"]) == (None, None, None)


def test_ctx_counts_the_day(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84010", "0.3"), order(BTC, "B", "84000", "0.2"))
    desk.place(BOB, order(BTC, "B", "84010", "0.1", tif="Ioc"))
    ctx = desk.exchange.ctx(desk.exchange.universe.coins()[0])
    assert (ctx["dayNtlVlm"], ctx["dayBaseVlm"], ctx["openInterest"]) == ("8401.0", "0.1", "0.1")
    assert (ctx["midPx"], ctx["markPx"]) == ("84005.0", "84005.0")
    assert ctx["impactPxs"] == ["84000.0", "84010.0"]
    desk.now_ms += 86_400_000
    desk.flow("BTC", Side.BID, "84010", "0.01", tif="Ioc")
    ctx = desk.exchange.ctx(desk.exchange.universe.coins()[0])
    assert (ctx["dayNtlVlm"], ctx["prevDayPx"]) == ("840.1", "84010.0")


def test_ctx_is_made_anew_once_its_book_changed_and_not_before(desk: Desk) -> None:
    desk.flow("BTC", Side.BID, "84000", "1")
    desk.flow("BTC", Side.ASK, "84010", "1")
    first = desk.exchange.ctx(Coin("BTC"))
    assert desk.exchange.ctx(Coin("BTC")) is first
    desk.flow("BTC", Side.ASK, "84004", "1")
    assert (first["midPx"], desk.exchange.ctx(Coin("BTC"))["midPx"]) == ("84005.0", "84002.0")
    desk.exchange.set_oracle(Coin("BTC"), Decimal(84_001))
    assert desk.exchange.ctx(Coin("BTC"))["oraclePx"] == "84001.0"


def test_impact_prices_reach_as_deep_as_their_notional(desk: Desk) -> None:
    for level in range(10):
        desk.flow("BTC", Side.BID, str(84_000 - level), "0.05")
        desk.flow("BTC", Side.ASK, str(84_010 + level), "0.05")
    bid_px, ask_px = (Decimal(str(px)) for px in desk.ask("metaAndAssetCtxs")[1][0]["impactPxs"])
    assert bid_px == Decimal("83998.1")
    assert ask_px == Decimal("84011.9")


def test_mids_fall_back_to_the_last_trade(desk: Desk) -> None:
    desk.flow("BTC", Side.ASK, "84011", "0.1")
    desk.flow("BTC", Side.BID, "84000", "0.1")
    assert desk.ask("allMids")["BTC"] == "84005.5"
    assert set(desk.ask("allMids", dex="hyna")) == {"hyna:BTC", "hyna:ETH", "hyna:SOL"}
    assert "MATIC" not in desk.ask("allMids")


def test_bbo_has_null_sides(desk: Desk) -> None:
    desk.flow("BTC", Side.BID, "84000", "0.1")
    row = desk.exchange.bbo(desk.exchange.universe.coins()[0])
    assert row["bbo"] == [{"px": "84000.0", "sz": "0.1", "n": 1}, None]


def book(desk: Desk, **keys: Any) -> Any:
    return desk.ask("l2Book", coin="BTC", **keys)


def test_book_shows_twenty_levels_best_first(desk: Desk) -> None:
    for i in range(25):
        desk.flow("BTC", Side.BID, str(84000 - i), "0.1")
        desk.flow("BTC", Side.ASK, str(84001 + i), "0.1")
    row = book(desk)
    assert list(row) == ["coin", "time", "levels"]
    bids, asks = row["levels"]
    assert (len(bids), len(asks)) == (20, 20)
    assert (bids[0]["px"], bids[-1]["px"]) == ("84000.0", "83981.0")
    assert (asks[0]["px"], asks[-1]["px"]) == ("84001.0", "84020.0")


def test_aggregation_rounds_bids_down_and_asks_up_and_adds(desk: Desk) -> None:
    for px, sz in [(64899, "1.38938"), (64898, "4.61546"), (64897, "1.28591"), (64896, "1.17934"),
                   (64895, "0.04531"), (64894, "1")]:  # fmt: skip
        desk.flow("BTC", Side.BID, str(px), sz)
    desk.flow("BTC", Side.ASK, "64901", "1")
    desk.flow("BTC", Side.ASK, "64905", "1")
    row = book(desk, nSigFigs=5, mantissa=5)
    assert row["levels"][0][0] == {"px": "64895.0", "sz": "8.5154", "n": 5}
    assert row["levels"][0][1]["px"] == "64890.0"
    assert row["levels"][1] == [{"px": "64905.0", "sz": "2.0", "n": 2}]
    assert row["spread"] == "2.0"
    assert book(desk, nSigFigs=3)["levels"][1][0]["px"] == "65000.0"


def test_trades_come_newest_first(desk: Desk) -> None:
    for px in ("84000", "84001"):
        desk.flow("BTC", Side.ASK, px, "0.1", owner="maker-1")
        desk.flow("BTC", Side.BID, px, "0.1", tif="Ioc")
    rows = desk.ask("recentTrades", coin="BTC")
    assert [row["px"] for row in rows] == ["84001.0", "84000.0"]
    assert Decimal(rows[0]["sz"]) == Decimal("0.1")


def test_limits_of_a_dex(desk: Desk) -> None:
    assert desk.ask("perpDexLimits", dex="xyz")["coinToOiCap"][2][0] == "xyz:NVDA"
    assert desk.ask("perpDexLimits", dex="nope") is None
