"""Our answers have the keys, types and number formats of those that were really recorded."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Trader
from tests.conformance.test_sdk import far_px, status
from tests.conformance.venue import ROOT, VenueProcess

CASSETTES = ROOT / os.environ.get("FLEET_SHARED", "../shared") / "fixtures" / "sdk_cassettes"
NUMBER = re.compile(r"-?\d+\.\d+")
# Keys that the venue leaves out where they say nothing, or has given up since the recording.
OPTIONAL = {"cloid", "twapId", "builderFee", "liquidation", "maxTradeSzs"}


def differences(recorded: Any, ours: Any, where: str = "") -> Iterator[str]:
    """Each place where the shape is another; lists are compared by their first rows."""
    if recorded is None or ours is None:
        return
    if type(recorded) is not type(ours):
        yield f"{where}: {type(recorded).__name__} became {type(ours).__name__}"
    elif isinstance(recorded, dict):
        missing = recorded.keys() - ours.keys() - OPTIONAL
        if missing:
            yield f"{where}: lacks {sorted(missing)}"
        for key in recorded.keys() & ours.keys():
            yield from differences(recorded[key], ours[key], f"{where}.{key}")
    elif isinstance(recorded, list):
        if recorded and ours:
            yield from differences(recorded[0], ours[0], f"{where}[0]")
    elif isinstance(recorded, str) and NUMBER.fullmatch(recorded) and not NUMBER.fullmatch(ours):
        yield f"{where}: a number such as {recorded} became {ours}"


def recorded(name: str, kind: str) -> Any:
    path: Path = CASSETTES / f"{name}.json"
    if not path.exists():
        pytest.skip("the recorded answers are not here; set FLEET_SHARED to their folder")
    rows = json.loads(path.read_text())
    return next(row["response"] for row in rows if row["request"]["body"]["type"] == kind)


@pytest.fixture(scope="module")
def traded(trader: Trader) -> Iterator[Trader]:
    """An account with a position, fills, open and dead orders."""
    status(trader.exchange.market_open("ETH", True, 0.1))
    px = far_px(trader, "ETH", -0.05)
    limit = {"limit": {"tif": "Gtc"}}
    oid = status(trader.exchange.order("ETH", True, 0.1, px, limit))["resting"]["oid"]
    yield trader
    trader.exchange.cancel("ETH", oid)
    trader.exchange.market_close("ETH")


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("get_user_state", {"type": "clearinghouseState"}),
        ("get_open_orders", {"type": "openOrders"}),
        ("get_frontend_open_orders", {"type": "frontendOpenOrders"}),
        ("get_user_fills", {"type": "userFills"}),
        ("get_user_fills_by_time", {"type": "userFillsByTime", "startTime": 0}),
        ("get_info", {"type": "meta"}),
        ("get_l2_snapshot", {"type": "l2Book", "coin": "ETH"}),
        ("get_candles_snapshot", {"type": "candleSnapshot"}),
        ("historical_orders", {"type": "historicalOrders"}),
        ("user_role", {"type": "userRole"}),
        ("user_rate_limit", {"type": "userRateLimit"}),
    ],
)
def test_an_answer_has_the_recorded_shape(
    traded: Trader, venue: VenueProcess, name: str, request_: dict[str, Any]
) -> None:
    real = recorded(name, request_["type"])
    now_ms = int(time.time() * 1000)
    bars = {"coin": "ETH", "interval": "1m", "startTime": 0, "endTime": now_ms}
    ours = venue.post("/info", {"user": traded.address, "req": bars, **request_})
    assert ours
    assert list(differences(real, ours)) == []


def test_a_difference_is_seen() -> None:
    real = {"px": "1.0", "rows": [{"oid": 1, "side": "B"}]}
    ours = {"px": "1", "rows": [{"oid": "1"}]}
    assert sorted(differences(real, ours)) == [
        ".px: a number such as 1.0 became 1",
        ".rows[0].oid: int became str",
        ".rows[0]: lacks ['side']",
    ]
