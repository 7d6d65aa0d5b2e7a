"""The accounts that were recorded, rebuilt at our exchange: it computes what the venue answered."""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.market.types import Coin
from agents.sim.clearing import Leverage, Position
from agents.sim.exchange import Exchange
from agents.sim.universe import AssetSpec, DexSpec, Universe, default_universe

FIXTURES = Path(os.environ.get("FLEET_SHARED", "../shared")) / "fixtures"
USER = "0x" + "a1" * 20
NOW_MS = 1_795_000_000_000
MICRO = Decimal("0.000001")
NOISE = Decimal("1e-7")
"""What the doubles behind some sums add; the amounts themselves have six decimals."""
NAMES = (
    "eugene/clearinghouse_small.json",
    "eugene/clearinghouse_whale.json",
    "http/mainnet_2026-09-25.json",
    "jkorf/http_responses.json",
    "nautilus/http_clearinghouse_state_negative_total_raw_usd.json",
    "sdk_cassettes/get_user_state.json",
)

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the fixtures are not here")


def accounts(value: Any) -> Iterator[dict[str, Any]]:
    """Every clearing state inside a recording, of those that tell all that they follow from."""
    if isinstance(value, dict):
        rows = value.get("assetPositions", []) if "marginSummary" in value else []
        if rows and all("maxLeverage" in row["position"] for row in rows):
            yield value
        for each in value.values():
            yield from accounts(each)
    elif isinstance(value, list):
        for each in value:
            yield from accounts(each)


def recorded() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name in NAMES:
        path = FIXTURES / name
        if path.is_file():
            states = accounts(json.loads(path.read_text()))
            found += [(f"{name}-{place}", state) for place, state in enumerate(states)]
    return found


def decimals(*texts: str) -> int:
    return max(len(text.partition(".")[2].rstrip("0")) for text in texts)


def exact(text: str) -> Decimal:
    """A number without the noise of the double that it was."""
    return Decimal(text).quantize(MICRO).normalize()


def mark_px(position: dict[str, Any]) -> Decimal:
    px = Decimal(position["positionValue"]) / abs(exact(position["szi"]))
    return px.quantize(MICRO).normalize()


def asset(position: dict[str, Any]) -> AssetSpec:
    """A market as that of the recording: its leverage and tiers, prices as fine as they were."""
    coin = Coin(position["coin"])
    known = default_universe().listings.get(coin)
    tiered = known is not None and known.spec.leverage_max == position["maxLeverage"]
    return AssetSpec(
        name=coin,
        sz_decimals=6 - decimals(position["entryPx"], format(mark_px(position), "f")),
        leverage_max=position["maxLeverage"],
        start_px=mark_px(position),
        margin_table=known.spec.margin_table if known is not None and tiered else 0,
    )


def rebuilt(state: dict[str, Any]) -> dict[str, Any]:
    """What our exchange answers about an account of the same balances and positions."""
    positions = [row["position"] for row in state["assetPositions"]]
    universe = Universe(
        [DexSpec(name="", full_name="", token="USDC", assets=tuple(map(asset, positions)))]
    )
    exchange = Exchange(universe)
    exchange.fund(USER, Decimal(0))
    exchange.block(NOW_MS)
    clearing = exchange.floor.account(USER).clearing("")
    clearing.raw_usd = Decimal(state["crossMarginSummary"]["totalRawUsd"])
    for row in positions:
        coin, leverage = Coin(row["coin"]), row["leverage"]
        tally = exchange.floor.tallies[coin]
        tally.mark_px, tally.oracle_ms = mark_px(row), NOW_MS
        raw_usd = Decimal(leverage.get("rawUsd", 0))
        clearing.positions[coin] = Position(exact(row["szi"]), Decimal(row["entryPx"]), raw_usd)
        clearing.leverages[coin] = Leverage(leverage["value"], leverage["type"] == "isolated")
        clearing.hold(coin)
    found: Any = exchange.info({"type": "clearinghouseState", "user": USER}, NOW_MS)
    return dict(found)


def near(ours: str, theirs: str, tolerance: Decimal) -> bool:
    return abs(Decimal(ours) - Decimal(theirs)) <= tolerance


@pytest.mark.parametrize(("name", "state"), recorded(), ids=[name for name, _ in recorded()])
def test_our_sums_are_those_the_venue_answered(name: str, state: dict[str, Any]) -> None:
    ours = rebuilt(state)
    for summary in ("marginSummary", "crossMarginSummary"):
        for key, theirs in state[summary].items():
            assert near(ours[summary][key], theirs, NOISE), (summary, key)
    key = "crossMaintenanceMarginUsed"
    assert near(ours[key], state[key], NOISE), name


@pytest.mark.parametrize(("name", "state"), recorded(), ids=[name for name, _ in recorded()])
def test_our_positions_are_those_the_venue_answered(name: str, state: dict[str, Any]) -> None:
    ours = {row["position"]["coin"]: row["position"] for row in rebuilt(state)["assetPositions"]}
    assert len(ours) == len(state["assetPositions"])
    for row in state["assetPositions"]:
        theirs = row["position"]
        mine, step = ours[theirs["coin"]], Decimal(1).scaleb(-decimals(theirs["entryPx"]))
        rounding = abs(Decimal(theirs["szi"])) * step  # the entry price is told rounded
        assert near(mine["positionValue"], theirs["positionValue"], NOISE)
        assert near(mine["marginUsed"], theirs["marginUsed"], NOISE), theirs
        assert near(mine["unrealizedPnl"], theirs["unrealizedPnl"], rounding), theirs
        stake = abs(Decimal(theirs["szi"])) * Decimal(theirs["entryPx"])
        share = rounding / stake * theirs["leverage"]["value"] + Decimal("1e-9")
        assert near(mine["returnOnEquity"], theirs["returnOnEquity"], 2 * share), (name, theirs)
        if theirs["leverage"]["type"] == "isolated" and theirs["liquidationPx"]:
            assert near(mine["liquidationPx"], theirs["liquidationPx"], Decimal("1e-6"))
