"""Every real WebSocket message we have decodes to the type its channel promises."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard

from agents.events import AssetCtx, Bbo, Book, Trades
from agents.exchange import codec

SHARED = (Path(__file__).parents[2] / os.environ.get("FLEET_SHARED", "../shared")).resolve()
TYPES: dict[str, tuple[type, ...]] = {
    "l2Book": (Book,),
    "bbo": (Bbo,),
    "trades": (Trades,),
    "activeAssetCtx": (AssetCtx,),
    "orderUpdates": (codec.UserOrderUpdates,),
    "userFills": (codec.UserFills,),
    "user": (codec.UserFills, codec.FundingRows, codec.NonUserCancels, codec.Unread),
    "userFundings": (codec.FundingRows,),
    "userNonFundingLedgerUpdates": (codec.LedgerRows,),
    "openOrders": (codec.OpenOrdersFrame,),
    "clearinghouseState": (codec.AccountFrame,),
    "allDexsClearinghouseState": (codec.AllAccountsFrame,),
    "subscriptionResponse": (codec.Ack,),
    "pong": (codec.Pong,),
    "error": (codec.ErrorFrame,),
    "post": (codec.PostFrame,),
}


def _messages() -> list[Any]:
    """(name, frame) of each message the fixtures hold; none where they are absent."""
    folder = SHARED / "fixtures"
    if not folder.is_dir():
        return [pytest.param(None, id="no shared material", marks=pytest.mark.skip("no fixtures"))]
    captured = json.loads((folder / "ws/gocryptotrader_frames_2026-10.json").read_text())
    found = [(frame["name"], frame["frame"]) for frame in captured["frames"]]
    for sequence in json.loads((folder / "jkorf/ws_frames.json").read_text()):
        frames = [frame["json"] for frame in sequence["frames"] if frame["dir"] == "server"]
        found += [(f"{sequence['file']}-{i}", frame) for i, frame in enumerate(frames)]
    for path in sorted(folder.glob("nautilus/ws_*.json")):
        frame = json.loads(path.read_text())
        if "channel" not in frame:  # the book stands there without its envelope
            frame = {"channel": "l2Book", "data": frame}
        found.append((path.stem, frame))
    return [pytest.param(frame, id=name) for name, frame in found]


@pytest.mark.shared
@pytest.mark.parametrize("frame", _messages())
def test_a_real_message_decodes_to_its_type(frame: dict[str, Any]) -> None:
    compact = json.dumps(frame, separators=(",", ":"))
    decoded = codec.decode_frame(compact)
    assert type(decoded) in TYPES.get(frame["channel"], (codec.Unread,))
    assert codec.decode_frame(json.dumps(frame).encode()) == decoded
    assert _counted(decoded) == _counted_raw(frame)


def _counted(decoded: codec.Frame) -> int:
    """How many rows a decoded frame holds, so that none is lost on the way."""
    match decoded:
        case Book(levels=levels):
            return sum(map(len, levels))
        case Trades(trades=rows):
            return len(rows)
        case codec.UserOrderUpdates(rows=rows) | codec.FundingRows(rows=rows):
            return len(rows)
        case codec.UserFills(fills=rows) | codec.OpenOrdersFrame(orders=rows):
            return len(rows)
        case codec.AccountFrame(state=state):
            return len(state.asset_positions)
        case codec.AllAccountsFrame(states=states):
            return sum(len(state.asset_positions) for _, state in states)
        case _:
            return 0


def _counted_raw(frame: dict[str, Any]) -> int:
    data: Any = frame.get("data")
    match frame["channel"]:
        case "l2Book":
            return sum(map(len, data["levels"]))
        case "trades" | "orderUpdates":
            return len(data)
        case "userFills" | "userFundings" | "openOrders":
            return len(data.get("fills", data.get("fundings", data.get("orders"))))
        case "user":
            return 1 if "funding" in data else len(data.get("fills", ()))
        case "clearinghouseState":
            return len(data["clearinghouseState"]["assetPositions"])
        case "allDexsClearinghouseState":
            return sum(len(state["assetPositions"]) for _, state in data["clearinghouseStates"])
        case _:
            return 0


@pytest.mark.shared
def test_frames_of_the_recordings_decode(shared: Path) -> None:
    seen: dict[str, int] = {}
    for path in sorted((shared / "recordings").glob("*.zst")):
        with path.open("rb") as packed:
            text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed))
            rows = (json.loads(line) for number, line in enumerate(text) if number % 7 == 1)
            for row in rows:
                if "m" in row:
                    name = type(codec.decode_frame(json.dumps(row["m"]))).__name__
                    seen[name] = seen.get(name, 0) + 1
    assert seen.keys() >= {"Book", "Bbo", "Trades"}
    assert sum(seen.values()) > 1_000
