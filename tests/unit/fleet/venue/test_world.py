"""A recording as the venue's market: its frames go out as received, its outages stay silent."""

from pathlib import Path

import msgspec

from tests.unit.fleet.venue.recordings import book, trade, write
from tests.unit.fleet.venue.rig import ADDRESS, INSTANT, Rig, order, status

LINES = [
    book(0, 100_000, 100_010),
    trade(0.1, "100000.0", 1),
    book(0.5, 100_000, 100_010),
    trade(1, "99990.0", 2),
    book(1.5, 100_000, 100_010),
    book(9, 99_000, 99_010),
]


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
