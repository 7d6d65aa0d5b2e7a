"""Real answers of /info decode to the structs the fleet reads them with."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exchange.codec import decode_info, decode_order_answer
from agents.exchange.codec_account import to_fill, to_live
from agents.exchange.errors import MalformedFrame
from agents.exchange.registry import Registry
from agents.exchange.wire import (
    ClearinghouseState,
    FrontendOrder,
    Meta,
    OrderUpdateWire,
    PerpDex,
    SpotMeta,
    UserRateLimit,
    WsFill,
)

pytestmark = pytest.mark.shared


def _cassettes(shared: Path, name: str) -> Iterator[bytes]:
    for row in json.loads((shared / f"fixtures/sdk_cassettes/{name}.json").read_text()):
        yield msgspec.json.encode(row["response"])


def _loaded(shared: Path, name: str) -> bytes:
    return msgspec.json.encode(json.loads((shared / "fixtures" / name).read_text()))


def test_open_orders(shared: Path) -> None:
    for raw in _cassettes(shared, "get_frontend_open_orders"):
        orders = decode_info(raw, tuple[FrontendOrder, ...])
        assert len(orders) == len(json.loads(raw)) > 0
        assert all(to_live(order).remaining_sz > 0 for order in orders)


def test_dead_orders(shared: Path) -> None:
    for raw in _cassettes(shared, "historical_orders"):
        assert len(decode_info(raw, tuple[OrderUpdateWire, ...])) == len(json.loads(raw)) > 0


def test_fills_keep_every_digit(shared: Path) -> None:
    raw = _loaded(shared, "nautilus/http_user_fills_dust_conversion.json")
    rows: list[dict[str, Any]] = json.loads(raw)
    for row, fill in zip(rows, decode_info(raw, tuple[WsFill, ...]), strict=True):
        booked = to_fill(fill)
        assert [str(booked.px), str(booked.sz)] == [row["px"], row["sz"]]
        assert str(booked.fee) == row["fee"]
        assert booked.tid == row["tid"]


def test_fills_of_2023_without_a_trade_id_are_refused(shared: Path) -> None:
    # Without a tid a fill could be booked twice; the venue has sent one for years.
    for raw in _cassettes(shared, "get_user_fills"):
        with pytest.raises(MalformedFrame, match="tid"):
            decode_info(raw, tuple[WsFill, ...])


@pytest.mark.parametrize("name", ["small", "whale"])
def test_account_states(shared: Path, name: str) -> None:
    raw = _loaded(shared, f"eugene/clearinghouse_{name}.json")
    found = json.loads(raw)
    state = decode_info(raw, ClearinghouseState)
    assert len(state.asset_positions) == len(found["assetPositions"]) > 0
    equity = state.margin_summary.account_value
    value = sum(
        row.position.position_value * (1 if row.position.szi > 0 else -1)
        for row in state.asset_positions
    )
    assert abs(state.margin_summary.total_raw_usd + value - equity) < 1


def test_the_allowance_of_an_account(shared: Path) -> None:
    for raw in _cassettes(shared, "user_rate_limit"):
        assert decode_info(raw, UserRateLimit).n_requests_cap > 0


def test_metas_and_dexs_make_a_registry(shared: Path) -> None:
    dexs = decode_info(_loaded(shared, "eugene/perpdexs.json"), tuple[PerpDex | None, ...])
    assert dexs[0] is None
    assert len(dexs) == 10
    (raw,) = _cassettes(shared, "get_info")
    spot = decode_info(
        _loaded(shared, "nautilus/http_spot_meta_non_usdc_collateral.json"), SpotMeta
    )
    registry = Registry.build(
        dexs, {"": decode_info(raw, Meta)}, spot, Decimal("0.00015"), Decimal("0.00045")
    )
    assert [dex.index for dex in registry.dexes] == list(range(10))
    btc = registry.instrument("BTC")
    assert btc is not None
    assert (btc.asset_id, btc.sz_decimals) == (0, 5)
    pair = json.loads((shared / "fixtures/http/hip3_meta_and_ctxs_2026-09.json").read_text())
    for entry, _ in pair["hip3"]:
        meta = decode_info(msgspec.json.encode({"universe": [entry]}), Meta)
        assert meta.universe[0].name == entry["name"]
        assert meta.universe[0].deployer_fee_scale is not None


def test_answers_to_orders(shared: Path) -> None:
    read = 0
    items = json.loads((shared / "fixtures/exchange/ccxt_static_responses.json").read_text())
    for item in items["items"]:
        answer = item["response"]
        if isinstance(answer, dict) and answer.get("status") == "ok":
            count = len(answer["response"]["data"]["statuses"])
            assert len(decode_order_answer(msgspec.json.encode(answer), count)) == count
            read += 1
    assert read >= 2
