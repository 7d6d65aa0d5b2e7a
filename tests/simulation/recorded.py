"""Recordings as the panel sees them, and what an offline reading of the same makes of them."""

import bisect
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agents.estimators.estimates import Estimates
from agents.estimators.panel import Panel
from agents.events import Bbo, Book, Trades
from agents.exchange.codec import decode_frame
from agents.market.types import Side, Trade
from agents.market.units import BPS, MS_PER_S
from agents.settings import StrategySettings
from agents.sim.tape import Outage, Tape

MARKETS = (
    ("btc-eth-sol-wlfi-20250903", "BTC"),
    ("btc-eth-sol-wlfi-20250903", "ETH"),
    ("btc-eth-sol-wlfi-20250903", "SOL"),
    ("btc-eth-sol-wlfi-20250903", "WLFI"),
    ("eth-20251210", "ETH"),
    ("btc-20250901-02-bbo-trades", "BTC"),
)
HORIZON_MS = 1_000
GAP_MS = 5_000
DEPTHS_BPS = np.geomspace(0.05, 8.0, 20)
COUNT_MIN = 5


def frames(path: Path, coin: str) -> Iterator[tuple[Book | Bbo | Trades | None, int]]:
    """One market's events and their receive time; None where the recording falls silent."""
    for name, event, at_ns in _recording(path):
        if name is None or name == coin:
            yield event, at_ns


@functools.cache
def _recording(path: Path) -> list[tuple[str | None, Book | Bbo | Trades | None, int]]:
    tape = Tape(path)
    rows: list[tuple[str | None, Book | Bbo | Trades | None, int]] = []
    for now_ns in (0, 1 << 62):  # the first call starts the tape at time 0
        for found in tape.due(now_ns):
            if isinstance(found, Outage):
                rows.append((None, None, found.t_ns))
                continue
            event = decode_frame(found.raw)
            assert isinstance(event, Book | Bbo | Trades)
            rows.append((found.coin, event, found.t_ns))
    return rows


def feed(panel: Panel, event: Book | Bbo | Trades, now_ns: int) -> None:
    match event:
        case Book():
            panel.on_book(event, now_ns)
        case Bbo():
            panel.on_bbo(event, now_ns)
        case Trades():
            panel.on_trades(event)


@dataclass
class Seen:
    """A panel after a recording, and what it said on the way: venue time, mid, fair."""

    panel: Panel
    last: Estimates | None = None
    said: list[tuple[int, float, float]] = field(default_factory=list)


def watch(path: Path, coin: str, settings: StrategySettings, *, told: bool = False) -> Seen:
    """The whole recording through one panel; ``told`` of its outages, as a gateway tells them."""
    seen = Seen(Panel(settings, 0))
    for event, now_ns in frames(path, coin):
        if event is None:
            if told:
                seen.panel.gap()
            continue
        feed(seen.panel, event, now_ns)
        estimates = seen.panel.estimates(now_ns)
        if estimates is not None:
            seen.last = estimates
            if not isinstance(event, Trades):
                seen.said.append((event.venue_ms, estimates.mid_px, estimates.fair_px))
    return seen


@dataclass(frozen=True)
class Offline:
    """The oracle: all of a recording at once."""

    fills_per_s: float
    kappa_per_bps: float
    bursts: int
    watched_s: float


def offline_fit(path: Path, coin: str) -> Offline:
    """Rate of bursts a side that reach a depth from the mid before, log-linear in the depth.

    Least squares of log(count / time) on the depths that five bursts reached at least.
    """
    touches: list[tuple[int, float]] = []
    trades: dict[int, Trade] = {}
    backlog = True
    old: set[int] = set()
    for event, _ in frames(path, coin):
        if event is None:
            backlog = True
        elif isinstance(event, Trades):
            if backlog:
                old.update(trade.tid for trade in event.trades)
            else:
                trades.update((trade.tid, trade) for trade in event.trades)
            backlog = False
        else:
            bid, ask = event.bbo if isinstance(event, Bbo) else (event.bids[0], event.asks[0])
            if bid is not None and ask is not None:
                touches.append((event.venue_ms, (bid.px + ask.px) / 2))
    touches.sort()
    times = [at_ms for at_ms, _ in touches]
    steps_ms = np.diff(times)
    watched_s = float(steps_ms[steps_ms <= GAP_MS].sum()) / MS_PER_S
    reach: dict[tuple[int, Side], float] = {}
    for tid, trade in trades.items():
        index = bisect.bisect_left(times, trade.time_ms) - 1
        if tid in old or index < 0 or trade.time_ms - times[index] > GAP_MS:
            continue
        mid_px = touches[index][1]
        away_bps = trade.side.sign * (trade.px - mid_px) / mid_px * BPS
        key = (trade.time_ms, trade.side)
        reach[key] = max(reach.get(key, away_bps), away_bps)
    reaches = np.array(list(reach.values()))
    counts = np.array([(reaches >= depth).sum() for depth in DEPTHS_BPS])
    used = counts >= COUNT_MIN
    rates = counts[used] / 2 / watched_s
    slope, level = np.polyfit(DEPTHS_BPS[used], np.log(rates), 1)
    return Offline(math.exp(level), -slope, len(reaches), watched_s)


@dataclass(frozen=True)
class Prediction:
    """Mean squared error of the mid a second later, in bps^2, and how much less fair's is."""

    mid_mse: float
    gain: float
    gain_95: float


def prediction(seen: Seen, *, skip_s: float = 0.0) -> Prediction:
    """Of what was said before it was known; blocks of ten seconds for the interval."""
    times = np.array([row[0] for row in seen.said])
    mids = np.array([row[1] for row in seen.said])
    fairs = np.array([row[2] for row in seen.said])
    then = np.searchsorted(times, times + HORIZON_MS, side="right") - 1
    following = np.minimum(then + 1, len(times) - 1)
    known = (times[following] - times <= GAP_MS) & (times[following] > times)
    known &= times >= times[0] + skip_s * MS_PER_S
    error_mid = ((mids[then] - mids) / mids * BPS)[known] ** 2
    error_fair = ((mids[then] - fairs) / mids * BPS)[known] ** 2
    gains = error_mid - error_fair
    blocks = (times[known] - times[0]) // 10_000
    sums = np.bincount(blocks.astype(int), weights=gains)
    counts = np.bincount(blocks.astype(int))
    sums, counts = sums[counts > 0], counts[counts > 0]
    mean = gains.mean()
    spread = math.sqrt(((sums - counts * mean) ** 2).sum()) / counts.sum()
    return Prediction(float(error_mid.mean()), float(mean), 1.96 * spread)
