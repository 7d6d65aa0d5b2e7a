"""A recording as the venue's market: its frames go out as received, its outages stay silent."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from agents.sim.tape import TapeError
from agents.sim.universe import default_universe
from fleet.venue.listing import tape_universe
from tests.unit.fleet.venue.rig import ADDRESS, INSTANT, Rig, order, status

S = 1_000_000_000


def level(px: str, sz: str = "1") -> dict[str, str]:
    return {"px": px, "sz": sz}


def book(at_s: float, bid: int, ask: int, coin: str = "BTC") -> dict[str, Any]:
    levels = [[level(str(bid - i)) for i in range(20)], [level(str(ask + i)) for i in range(20)]]
    data = {"coin": coin, "time": round(at_s * 1000), "levels": levels}
    return {"t": round(at_s * S), "m": {"channel": "l2Book", "data": data}}


def trade(at_s: float, px: str, tid: int, side: str = "A") -> dict[str, Any]:
    row: dict[str, Any] = {"coin": "BTC", "side": side, "px": px, "sz": "1"}
    row |= {"time": round(at_s * 1000), "tid": tid}
    return {"t": round(at_s * S), "m": {"channel": "trades", "data": [row]}}


LINES = [
    book(0, 100_000, 100_010),
    trade(0.1, "100000.0", 1),
    book(0.5, 100_000, 100_010),
    trade(1, "99990.0", 2),
    book(1.5, 100_000, 100_010),
    book(9, 99_000, 99_010),
]


def write(path: Path, lines: list[dict[str, Any]], coins: tuple[str, ...] = ("BTC",)) -> Path:
    header = {"schema": "hlrec/1", "coins": coins}
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (header, *lines))
    path.write_bytes(zstandard.compress(text.encode()))
    return path


def taped(path: Path) -> Rig:
    return Rig(msgspec.structs.replace(INSTANT, recording=str(write(path, LINES))))


async def test_recorded_frames_go_out_as_received_but_for_their_times(tmp_path: Path) -> None:
    rig = taped(tmp_path / "t.zst")
    client = rig.client()
    client.subscribe(type="l2Book", coin="BTC")
    client.subscribe(type="l2Book", coin="BTC", fast=True)
    client.subscribe(type="trades", coin="BTC")
    for _ in range(30):
        rig.wait(50)
    whole = [b for b in client.of("l2Book") if "fast" not in b]
    recorded = [line["m"]["data"] for line in LINES[2:5] if line["m"]["channel"] == "l2Book"]
    assert [b["levels"] for b in whole[1:]] == [b["levels"] for b in recorded]
    assert whole[2]["time"] - whole[1]["time"] == 1_000
    fast = [b for b in client.of("l2Book") if "fast" in b]
    assert {len(side) for b in fast for side in b["levels"]} == {5}
    backlog, *prints = client.of("trades")
    assert backlog == []
    assert [row["tid"] for rows in prints for row in rows] == [1, 2]


async def test_resting_orders_fill_from_recorded_prints(tmp_path: Path) -> None:
    rig = taped(tmp_path / "t.zst")
    client = rig.client()
    client.subscribe(type="userFills", user=ADDRESS)
    assert "resting" in status(await rig.act(order(99_995, tif="Alo")))
    assert "error" in status(await rig.act(order(100_010, tif="Alo")))
    rig.wait(1_000)
    (fill,) = client.of("userFills")[1]["fills"]
    assert (fill["px"], fill["sz"], fill["crossed"]) == ("99995.0", "0.01", False)


async def test_a_taker_fills_at_the_recorded_touch(tmp_path: Path) -> None:
    rig = taped(tmp_path / "t.zst")
    answer = status(await rig.act(order(100_500, tif="Ioc")))
    assert answer["filled"]["avgPx"] == "100010.0"


async def test_in_an_outage_data_are_silent_and_orders_are_not(tmp_path: Path) -> None:
    rig = taped(tmp_path / "t.zst")
    client = rig.client()
    for kind in ("l2Book", "bbo", "activeAssetCtx"):
        client.subscribe(type=kind, coin="BTC")
    client.subscribe(type="l2Book", coin="BTC", fast=True)
    client.subscribe(type="orderUpdates", user=ADDRESS)
    rig.wait(2_000)
    client.frames.clear()
    for _ in range(60):
        rig.wait(100)
    assert client.frames == []
    resting = status(await rig.act(order(99_995, tif="Alo")))["resting"]
    assert status(await rig.act(order(101_000, tif="Ioc"))).get("filled") is None
    cancel = {"type": "cancel", "cancels": [{"a": 0, "o": resting["oid"]}]}
    assert status(await rig.act(cancel)) == "success"
    assert set(client.channels()) == {"orderUpdates"}
    rig.wait(2_000)
    assert "l2Book" in client.channels()


def test_the_listing_is_the_recordings(tmp_path: Path) -> None:
    lines = [book(0, 100_000, 100_010), book(0, 3_000, 3_001, "NEW")]
    path = write(tmp_path / "t.zst", lines, ("NEW", "BTC", "ETH"))
    universe = tape_universe(path, default_universe())
    assert universe.coins() == ("NEW", "BTC")
    btc = universe.listings[universe.coins()[1]].spec
    assert (btc.sz_decimals, str(btc.start_px)) == (5, "100000")
    assert universe.listings[universe.coins()[0]].spec.sz_decimals == 0


def test_a_recording_of_a_dex_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.zst", [book(0, 10, 11, "abc:X")], ("abc:X",))
    with pytest.raises(TapeError, match="abc:X"):
        tape_universe(path, default_universe())
    with pytest.raises(TapeError, match="no book"):
        tape_universe(write(path, [], ("BTC",)), default_universe())
