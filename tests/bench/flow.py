"""``python -m tests.bench.flow``: the synthetic flow's character beside that of the recordings.

Spreads, volatility, tails, burstiness and correlation, of a recorded file and of the flow of a
default universe under several seeds. Nothing is judged here: the rows stand side by side.
"""

import io
import json
import math
import os
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard

from agents.market.types import Coin
from agents.sim.exchange import Exchange
from agents.sim.flow import Flow
from agents.sim.outputs import Printed, TouchChanged
from agents.sim.universe import Universe, default_universe
from fleet.venue.world import FlowDoor

COINS: Final = ("BTC", "ETH", "SOL", "WLFI")
FILES: Final = ("btc-eth-sol-wlfi-20250903", "eth-20251210", "btc-20250901-02-bbo-trades")
SEEDS: Final = (1, 2, 3)
MINUTES: Final = 15
BLOCK_MS: Final = 70
START_MS: Final = 1_800_000_000_000
GAP_MS: Final = 5_000
BPS: Final = 10_000.0
HORIZON_MS: Final = 5_000
MINUTE_MS: Final = 60_000


@dataclass
class Heard:
    """What was heard of one coin: touches and prints, by the venue's time."""

    mids: list[tuple[int, float]] = field(default_factory=list)
    spreads_bps: list[float] = field(default_factory=list)
    bursts_ms: list[int] = field(default_factory=list)
    burst_usd: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    burst_px: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    touch_usd: list[float] = field(default_factory=list)

    def touch(self, time_ms: int, bid: tuple[float, float], ask: tuple[float, float]) -> None:
        """The best level of each side as price and size."""
        (bid_px, bid_sz), (ask_px, ask_sz) = bid, ask
        mid_px = (bid_px + ask_px) / 2
        self.touch_usd += [bid_px * bid_sz, ask_px * ask_sz]
        self.mids.append((time_ms, mid_px))
        self.spreads_bps.append((ask_px - bid_px) / mid_px * BPS)

    def reaches_bps(self) -> list[float]:
        """How far apart the prices of each burst lie."""
        return [(max(px) / min(px) - 1.0) * BPS for px in self.burst_px.values()]

    def print(self, time_ms: int, px: float, sz: float) -> None:
        """Prints of one millisecond are one burst."""
        if time_ms not in self.burst_usd:
            self.bursts_ms.append(time_ms)
        self.burst_usd[time_ms] += px * sz
        self.burst_px[time_ms].append(px)


def frames(path: Path) -> Iterator[tuple[int, Any]]:
    """When each frame was received, and the frame; the header is passed over."""
    with path.open("rb") as packed:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed)):
            row = json.loads(line)
            if "m" in row:
                yield row["t"], row["m"]


def recorded(path: Path) -> dict[str, Heard]:
    """Of a recording; the replay of old trades at a (re)connect is passed over."""
    heard: defaultdict[str, Heard] = defaultdict(Heard)
    for received_ns, message in frames(path):
        data = message["data"]
        if message["channel"] == "bbo" and all(data["bbo"]):
            bid, ask = data["bbo"]
            best = ((float(each["px"]), float(each["sz"])) for each in (bid, ask))
            heard[data["coin"]].touch(data["time"], *best)
        elif message["channel"] == "trades":
            for row in data:
                if received_ns // 1_000_000 - row["time"] < GAP_MS:
                    heard[row["coin"]].print(row["time"], float(row["px"]), float(row["sz"]))
    return heard


def simulated(seed: int, mode: str = "real") -> dict[str, Heard]:
    """Of the flow in those markets of the default universe that were recorded."""
    main = default_universe().dexes[0]
    assets = tuple(asset for asset in main.assets if asset.name in COINS)
    universe = Universe([msgspec.structs.replace(main, assets=assets)])
    exchange = Exchange(universe)
    flow = Flow(universe, random.Random(seed), "lively" if mode == "lively" else "real")
    door = FlowDoor(exchange)
    heard: defaultdict[str, Heard] = defaultdict(Heard)
    for now_ms in range(START_MS, START_MS + MINUTES * 60_000, BLOCK_MS):
        exchange.begin(now_ms)
        flow.step(door, now_ms)
        for output in exchange.block(now_ms):
            match output:
                case TouchChanged(coin=coin) if coin in COINS:
                    bid, ask = exchange.floor.markets[Coin(coin)].touch()
                    if bid is not None and ask is not None:
                        best = ((float(each.px), float(each.sz)) for each in (bid, ask))
                        heard[coin].touch(now_ms, *best)
                case Printed(coin=coin, trades=trades) if coin in COINS:
                    for trade in trades:
                        heard[coin].print(now_ms, float(trade.px), float(trade.sz))
                case _:
                    pass
    return heard


def returns_bps(heard: Heard, horizon_ms: int) -> dict[int, float]:
    """Returns between grid points of the horizon; none over a gap in what was heard."""
    found: dict[int, float] = {}
    last: tuple[int, float] | None = None
    previous_ms = 0
    for time_ms, mid_px in heard.mids:
        slot = time_ms // horizon_ms
        if time_ms - previous_ms > GAP_MS:
            last = None
        previous_ms = time_ms
        if last is None or slot > last[0]:
            if last is not None:
                steps = slot - last[0]
                found[slot] = math.log(mid_px / last[1]) * BPS / math.sqrt(steps)
            last = (slot, mid_px)
    return found


def character(heard: Heard) -> dict[str, float]:
    """The figures of one coin."""
    quick = list(returns_bps(heard, 1_000).values())
    live_s = max(1, len({time_ms // 1_000 for time_ms, _ in heard.mids}))
    counts: defaultdict[int, int] = defaultdict(int)
    for time_ms in heard.bursts_ms:
        counts[time_ms // 1_000] += 1
    a_second = [counts[second] for second in sorted({ms // 1_000 for ms, _ in heard.mids})]
    mean = statistics.fmean(a_second) if a_second else math.nan
    return {
        "spread bps, median": statistics.median(heard.spreads_bps),
        "spread bps, 95 %": quantile(heard.spreads_bps, 0.95),
        "touch usd, median": statistics.median(heard.touch_usd),
        "volatility 1 s, bps": _rms(quick),
        "volatility 1 min, bps": _rms(returns_bps(heard, MINUTE_MS).values()),
        "kurtosis of 1 s": kurtosis(quick),
        "bursts a minute": 60.0 * len(heard.bursts_ms) / live_s,
        "burstiness (var/mean)": statistics.pvariance(a_second) / mean if mean else math.nan,
        "burstiness (lag 1 s)": _lagged(a_second),
        "burst usd, median": quantile([*heard.burst_usd.values()] or [math.nan], 0.5),
        "burst usd, 90 %": quantile([*heard.burst_usd.values()] or [math.nan], 0.9),
        "burst reach bps, 99 %": quantile(heard.reaches_bps() or [math.nan], 0.99),
        "touches a second": len(heard.mids) / live_s,
    }


def _rms(values: Iterable[float]) -> float:
    squares = [each * each for each in values]
    return math.sqrt(statistics.fmean(squares)) if squares else math.nan


def _lagged(counts: Sequence[int]) -> float:
    """Correlation of each second's bursts with those of the second after."""
    return statistics.correlation(counts[:-1], counts[1:]) if len(set(counts)) > 1 else math.nan


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def kurtosis(values: Sequence[float]) -> float:
    spread = statistics.fmean(each**2 for each in values)
    return statistics.fmean(each**4 for each in values) / spread**2 if spread else math.nan


def correlations(heard: dict[str, Heard]) -> Iterator[tuple[str, float]]:
    """Of returns over five seconds, each pair of coins."""
    found = {coin: returns_bps(heard[coin], HORIZON_MS) for coin in COINS if coin in heard}
    names = list(found)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            both = sorted(found[one].keys() & found[other].keys())
            if len(both) > 10:
                pair = ([found[name][slot] for slot in both] for name in (one, other))
                yield f"{one}-{other}", statistics.correlation(*pair)


def table(columns: dict[str, dict[str, Heard]]) -> Iterator[str]:
    """One row a coin and figure, one column a source."""
    yield f"{'':30}" + "".join(f"{name:>28}" for name in columns)
    for coin in COINS:
        figures = {name: character(of[coin]) for name, of in columns.items() if coin in of}
        for kind in next(iter(figures.values()), {}):
            yield f"{coin + ' ' + kind:30}" + _cells(
                columns, {name: row[kind] for name, row in figures.items()}
            )
    pairs = {name: dict(correlations(of)) for name, of in columns.items()}
    for pair in sorted({pair for row in pairs.values() for pair in row}):
        yield f"{'correlation 5 s ' + pair:30}" + _cells(
            columns, {name: row[pair] for name, row in pairs.items() if pair in row}
        )


def _cells(names: Iterable[str], values: dict[str, float]) -> str:
    return "".join(f"{values[name]:>28.3g}" if name in values else f"{'·':>28}" for name in names)


def main() -> int:
    folder = Path(os.environ.get("FLEET_SHARED", "../shared")) / "recordings"
    columns = {
        name: recorded(folder / f"{name}.jsonl.zst")
        for name in FILES
        if (folder / f"{name}.jsonl.zst").is_file()
    }
    columns |= {f"flow, seed {seed}": simulated(seed) for seed in SEEDS}
    sys.stdout.write("\n".join(table(columns)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
