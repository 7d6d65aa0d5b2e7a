"""Recordings written by hand, times in seconds from 0."""

import json
from pathlib import Path
from typing import Any

import zstandard

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


def write(path: Path, lines: list[dict[str, Any]], coins: tuple[str, ...] = ("BTC",)) -> Path:
    header = {"schema": "hlrec/1", "coins": coins}
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (header, *lines))
    path.write_bytes(zstandard.compress(text.encode()))
    return path
