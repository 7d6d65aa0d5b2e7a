"""Halts and caps: what a deployer may do to a market."""

from decimal import Decimal

from agents.market.types import Coin, Side
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from tests.unit.agents.sim.desk import ALICE, BOB, NVDA, Desk, order

COIN = Coin("xyz:NVDA")


def test_a_halt_cancels_settles_and_refuses() -> None:
    desk = Desk()
    desk.flow(COIN, Side.ASK, "182", "10")
    desk.place(ALICE, order(NVDA, "B", "182", "10", tif="Ioc"))
    oid = desk.place(ALICE, order(NVDA, "B", "180", "1"))[0]["resting"]["oid"]
    desk.exchange.begin(desk.now_ms + 70)
    desk.exchange.halt(COIN, halted=True)
    desk.block()
    assert desk.szi(ALICE, COIN, "xyz") == "0.0"
    assert [fill["dir"] for fill in desk.fills(ALICE)] == ["Settlement"]
    assert [fill["fee"] for fill in desk.fills(ALICE)] == ["0.0"]
    assert (oid, "delistedCanceled", "1.0") in desk.order_rows(ALICE)
    assert desk.place(ALICE, order(NVDA, "B", "180", "1")) == [{"error": "Trading is halted."}]
    assert not desk.flow(COIN, Side.BID, "180", "1").resting
    desk.exchange.halt(COIN, halted=False)
    assert "resting" in desk.place(ALICE, order(NVDA, "B", "180", "1"))[0]


def test_at_its_cap_a_market_lets_positions_shrink_only() -> None:
    desk = Desk()
    desk.flow(COIN, Side.BID, "181.99", "100")
    desk.flow(COIN, Side.ASK, "182.01", "100")
    desk.place(ALICE, order(NVDA, "B", "182.01", "10", tif="Ioc"))
    desk.exchange.set_oi_cap(COIN, Decimal(1_000))
    assert desk.ask("perpsAtOpenInterestCap", dex="xyz") == [COIN]
    assert desk.ask("perpsAtOpenInterestCap") == []
    desk.exchange.set_oracle(COIN, Decimal(182))
    (refused,) = desk.place(BOB, order(NVDA, "B", "182.01", "1", tif="Ioc"))
    assert refused["error"].startswith("Order rejected due to price more aggressive than oracle")
    (refused,) = desk.place(BOB, order(NVDA, "B", "181", "1"))
    assert refused["error"].startswith("Order would increase open interest while")
    assert "filled" in desk.place(ALICE, order(NVDA, "A", "181.99", "1", tif="Ioc"))[0]


def test_a_delisted_market_settles_at_the_oracle_and_never_resumes() -> None:
    desk = Desk()
    desk.flow(COIN, Side.ASK, "182", "10")
    desk.place(ALICE, order(NVDA, "B", "182", "10", tif="Ioc"))
    oid = desk.place(ALICE, order(NVDA, "B", "180", "1"))[0]["resting"]["oid"]
    desk.exchange.set_oracle(COIN, Decimal("181.5"))
    before = [row["name"] for row in desk.ask("meta", dex="xyz")["universe"]]
    desk.exchange.begin(desk.now_ms + 70)
    desk.exchange.delist(COIN)
    desk.block()
    (fill,) = desk.fills(ALICE)
    assert (fill["px"], fill["dir"], fill["fee"]) == ("181.5", "Settlement", "0.0")
    assert fill["closedPnl"] == "-5.0"
    assert (oid, "delistedCanceled", "1.0") in desk.order_rows(ALICE)
    desk.exchange.halt(COIN, halted=False)
    for _ in range(2):
        meta, ctxs = desk.ask("metaAndAssetCtxs", dex="xyz")
        assert [row["name"] for row in meta["universe"]] == before
        assert [row["name"] for row in meta["universe"] if row.get("isDelisted")] == [COIN]
        assert (ctxs[2]["funding"], ctxs[2]["openInterest"]) == ("0.0", "0.0")
        assert ctxs[2]["midPx"] is ctxs[2]["impactPxs"] is ctxs[2]["premium"] is None
        assert COIN not in desk.ask("allMids", dex="xyz")
        assert desk.place(ALICE, order(NVDA, "B", "180", "1")) == [{"error": "Trading is halted."}]
        state = desk.exchange.snapshot()
        desk.exchange = Exchange(default_universe())
        desk.exchange.restore(state)
