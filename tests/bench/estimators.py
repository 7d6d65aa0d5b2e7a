"""``python -m tests.bench.estimators``: the panel on each recording, beside offline fits.

The recordings lie beside the project (``FLEET_SHARED``). Also the panel's memory over a day.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agents.estimators.panel import Panel
from agents.events import Bbo, Book, Event, Trades
from agents.market.types import Coin, Level, Side, Tid, Trade
from agents.market.units import MS_PER_S, NS_PER_MS
from agents.settings import StrategySettings
from tests.conftest import SHARED
from tests.simulation.recorded import MARKETS, feed, offline_fit, prediction, watch

COIN = Coin("SOL")
DAY_S = 86_400
HEAD = (
    f"{'recording':<28}{'coin':<6}{'A 1/s':>8}{'s.e.':>7}{'offline':>9}{'kappa':>8}{'s.e.':>7}"
    f"{'offline':>9}{'sigma':>7}{'mid mse':>9}{'gain':>8}{'95 %':>8}"
)


def street(seed: int, seconds: int) -> Iterator[tuple[Event, int]]:
    """A made-up market at life's pace, two touches a second, and the venue's time in ms."""
    rng = random.Random(seed)
    mid_px, tid = 100.0, 0
    for step in range(2 * seconds):
        at_ms = 1_750_000_000_000 + step * MS_PER_S // 2
        mid_px *= 1.0 + rng.gauss(0.0, 0.7e-4)
        bid, ask = Level(mid_px * 0.9999, rng.expovariate(0.1)), Level(mid_px * 1.0001, 10.0)
        if step % 10 == 0:
            rest = tuple(Level(mid_px * (1 - 1e-4 * i), 10.0, 3) for i in range(1, 21))
            above = tuple(Level(mid_px * (1 + 1e-4 * i), 10.0, 3) for i in range(1, 21))
            yield Book(coin=COIN, venue_ms=at_ms, levels=(rest, above)), at_ms
        else:
            yield Bbo(coin=COIN, venue_ms=at_ms, bbo=(bid, ask)), at_ms
        if rng.random() < 0.4:
            tid += 1
            side = rng.choice((Side.BID, Side.ASK))
            px = mid_px * (1 + side.sign * 1e-4 * (1 + rng.expovariate(1.0)))
            trade = Trade(COIN, side, px, rng.expovariate(0.2), at_ms + 1, Tid(tid))
            yield Trades(trades=(trade,)), at_ms


def live(panel: Panel, coming: Iterator[tuple[Event, int]]) -> None:
    """As an engine does: each event, the belief after it, and our orders' time on offer."""
    for event, at_ms in coming:
        now_ns = at_ms * NS_PER_MS
        if isinstance(event, Book | Bbo | Trades):
            feed(panel, event, now_ns)
        found = panel.estimates(now_ns)
        if found is not None:
            offers = [(side, found.mid_px * (1 - side.sign * 3e-4)) for side in Side]
            panel.on_offers(offers, now_ns)


def state_bytes(root: object) -> int:
    """Everything an object holds, each part once; types and modules left out."""
    seen: set[int] = set()
    waiting: list[object] = [root]
    total = 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type) or callable(each):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each)
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, str | bytes | int | float):
            continue
        elif isinstance(each, msgspec.Struct):
            waiting += [getattr(each, name) for name in each.__struct_fields__]
        elif isinstance(each, Iterator):
            continue
        elif hasattr(each, "__iter__"):
            waiting += list(each)
        else:
            slots = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
            waiting += [getattr(each, name) for name in slots if hasattr(each, name)]
    return total


def _row(path: Path, coin: str) -> str:
    seen, oracle = watch(path, coin, StrategySettings()), offline_fit(path, coin)
    found, told = seen.last, prediction(seen)
    assert found is not None
    assert found.beliefs is not None
    bid, ask = found.beliefs.bid, found.beliefs.ask
    return (
        f"{path.name.partition('.')[0]:<28}{coin:<6}"
        f"{found.fills_per_s:>8.3f}{(bid.fills_se_per_s + ask.fills_se_per_s) / 2:>7.3f}"
        f"{oracle.fills_per_s:>9.3f}"
        f"{found.kappa_per_bps:>8.3f}{(bid.kappa_se_per_bps + ask.kappa_se_per_bps) / 2:>7.3f}"
        f"{oracle.kappa_per_bps:>9.3f}"
        f"{found.sigma_bps:>7.2f}{told.mid_mse:>9.4f}{told.gain:>8.4f}{told.gain_95:>8.4f}"
    )


def main() -> None:
    lines = [HEAD]
    lines += [
        _row(SHARED / "recordings" / f"{recording}.jsonl.zst", coin) for recording, coin in MARKETS
    ]
    panel = Panel(StrategySettings(), 0)
    coming = street(1, DAY_S)
    for hours in (1, 24):
        until_ms = 1_750_000_000_000 + hours * 3_600 * MS_PER_S
        live(panel, _until(coming, until_ms))
        lines.append(f"state after {hours:>2} simulated hours: {state_bytes(panel) / 1e6:.2f} MB")
    print("\n".join(lines))  # noqa: T201 - this is what the report is for


def _until(coming: Iterator[tuple[Event, int]], until_ms: int) -> Iterator[tuple[Event, int]]:
    for event, at_ms in coming:
        yield event, at_ms
        if at_ms >= until_ms:
            return


if __name__ == "__main__":
    main()
