"""Leverage and isolated margin: limits, texts, and cash that only moves."""

from decimal import Decimal
from typing import Any

import pytest

from agents.market.types import Side
from tests.unit.agents.sim.desk import ALICE, BTC, CRCL, SOL, Desk, order


@pytest.fixture
def desk() -> Desk:
    return Desk(usd=1_000)


def leverage(asset: int, value: int, *, cross: bool) -> dict[str, Any]:
    return {"type": "updateLeverage", "asset": asset, "isCross": cross, "leverage": value}


def margin(asset: int, micro_usd: int) -> dict[str, Any]:
    return {"type": "updateIsolatedMargin", "asset": asset, "isBuy": True, "ntli": micro_usd}


def buy(desk: Desk, asset: int, coin: str, px: str, sz: str) -> None:
    desk.flow(coin, Side.ASK, px, sz)
    assert "filled" in desk.place(ALICE, order(asset, "B", px, sz, tif="Ioc"))[0]


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (leverage(BTC, 41, cross=True), "Invalid leverage value"),
        (leverage(BTC, 0, cross=True), "Invalid leverage value"),
        (leverage(999, 1, cross=True), "Invalid leverage value"),
        (leverage(CRCL, 5, cross=True), "Cross margin is not allowed for this asset."),
        (margin(BTC, 1_000_000), "Cannot update margin for empty position."),
    ],
)
def test_refusals(desk: Desk, action: dict[str, Any], text: str) -> None:
    assert desk.act(ALICE, action) == {"status": "err", "response": text}


def test_leverage_is_shown_before_any_position(desk: Desk) -> None:
    assert desk.act(ALICE, leverage(BTC, 5, cross=False))["status"] == "ok"
    shown = desk.ask("activeAssetData", user=ALICE, coin="BTC")
    assert shown["leverage"] == {"type": "isolated", "value": 5, "rawUsd": "0.0"}


def test_the_mode_is_fixed_while_engaged(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "B", "83000", "0.01"))
    text = "Cannot switch leverage type with open position."
    assert desk.act(ALICE, leverage(BTC, 5, cross=False))["response"] == text
    buy(desk, SOL, "SOL", "119", "10")
    assert desk.act(ALICE, leverage(SOL, 5, cross=False))["response"] == text
    assert desk.act(ALICE, leverage(SOL, 5, cross=True))["status"] == "ok"


def test_lowering_cross_leverage_needs_margin(desk: Desk) -> None:
    buy(desk, SOL, "SOL", "119", "100")
    refused = desk.act(ALICE, leverage(SOL, 5, cross=True))
    assert refused["status"] == "err"
    shown = desk.ask("activeAssetData", user=ALICE, coin="SOL")
    assert shown["leverage"]["value"] == 20


def test_isolated_margin_in_and_out(desk: Desk) -> None:
    desk.act(ALICE, leverage(SOL, 10, cross=False))
    buy(desk, SOL, "SOL", "119", "10")

    def money() -> tuple[Decimal, Decimal]:
        state = desk.state(ALICE)
        (row,) = state["assetPositions"]
        raw = Decimal(row["position"]["leverage"]["rawUsd"])
        return Decimal(state["crossMarginSummary"]["totalRawUsd"]), raw

    cross, raw = money()
    assert raw == -1071
    assert desk.act(ALICE, margin(SOL, 50_500_000))["status"] == "ok"
    assert money() == (cross - Decimal("50.5"), raw + Decimal("50.5"))
    assert desk.act(ALICE, margin(SOL, -50_000_000))["status"] == "ok"
    assert money() == (cross - Decimal("0.5"), raw + Decimal("0.5"))
    answers = {
        desk.act(ALICE, margin(SOL, amount))["response"]
        for amount in (0, 2_000_000_000, -50_000_000)
    }
    assert answers == {
        "Update to isolated margin cannot be zero.",
        "Account does not have sufficient margin available for increase.",
        "Position does not have sufficient margin for reduction.",
    }


def test_lowering_isolated_leverage_tops_the_position_up(desk: Desk) -> None:
    desk.act(ALICE, leverage(SOL, 10, cross=False))
    buy(desk, SOL, "SOL", "119", "10")
    assert desk.act(ALICE, leverage(SOL, 4, cross=False))["status"] == "ok"
    (row,) = desk.state(ALICE)["assetPositions"]
    assert row["position"]["marginUsed"] == "297.5"


def test_a_cross_position_has_no_margin_of_its_own(desk: Desk) -> None:
    buy(desk, SOL, "SOL", "119", "10")
    answer = desk.act(ALICE, margin(SOL, 1_000_000))
    assert answer["response"] == "Position does not use isolated margin."


def test_strict_isolated_margin_cannot_be_taken_out(desk: Desk) -> None:
    buy(desk, CRCL, "xyz:CRCL", "86.4", "10")
    answer = desk.act(ALICE, margin(CRCL, -1))
    assert answer["response"].startswith("Cannot remove isolated margin for this asset.")


def test_leverage_beyond_the_positions_tier_is_refused(desk: Desk) -> None:
    desk.exchange.fund(ALICE, Decimal(10) ** 9)
    desk.act(ALICE, leverage(BTC, 20, cross=True))
    for _ in range(8):
        buy(desk, BTC, "BTC", "84000", "250")
    assert Decimal(desk.szi(ALICE, "BTC")) * 84_000 > 150_000_000
    refused = desk.act(ALICE, leverage(BTC, 21, cross=True))
    assert refused == {"status": "err", "response": "Invalid leverage value"}
    assert desk.act(ALICE, leverage(BTC, 19, cross=True))["status"] == "ok"
