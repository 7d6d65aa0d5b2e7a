"""Small recordings, made for one test each."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import zstandard

T0_NS = 1_756_900_000_000_000_000


def book(at_s: float, bid: float, ask: float, sz: float = 5.0, coin: str = "SOL") -> dict[str, Any]:
    """One level a side."""
    ms = T0_NS // 1_000_000 + round(at_s * 1_000)
    rows = [
        [{"px": f"{bid:.2f}", "sz": str(sz), "n": 1}],
        [{"px": f"{ask:.2f}", "sz": str(sz), "n": 1}],
    ]
    message = {"channel": "l2Book", "data": {"coin": coin, "time": ms, "levels": rows}}
    return {"t": T0_NS + round(at_s * 1e9), "m": message}


def trade(at_s: float, side: str, px: float, sz: float, tid: int) -> dict[str, Any]:
    """One print; the first frame of a recording is taken for the replay of old ones."""
    ms = T0_NS // 1_000_000 + round(at_s * 1_000)
    row = {"coin": "SOL", "side": side, "px": f"{px:.2f}", "sz": str(sz), "time": ms, "tid": tid}
    return {"t": T0_NS + round(at_s * 1e9), "m": {"channel": "trades", "data": [row]}}


def write(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    """A recording of SOL."""
    header = {"schema": "hlrec/1", "coins": ["SOL"]}
    text = "".join(json.dumps(line) + "\n" for line in [header, *lines])
    path.write_bytes(zstandard.ZstdCompressor().compress(text.encode()))
    return path


def quiet(seconds: int, *, mid: float = 200.0) -> list[dict[str, Any]]:
    """A still market: a book each half second."""
    return [book(step / 2, mid - 0.01, mid + 0.01) for step in range(2 * seconds)]
