"""From the ledger to what the report shows, market by market; floats, for it is drawn, not booked.

    markout(h)  = sign·(mid h seconds later - px) / px       bps; h = 0: against the mid at the fill
    mean ± 2·sd/sqrt(n) over the fills whose mid was seen

Volatility is that of the minutes' mids, per square root of a second. The decay of fills with depth
is the slope of log(fills) over the distance of a fill from its mid, by least squares over buckets.
"""

import math
import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from fleet.ledger.edge import Edge
from fleet.ledger.keep import edges
from fleet.ledger.markouts import HORIZONS_MS
from fleet.ledger.periods import Period, periods
from fleet.ledger.query import reading
from fleet.ledger.schema import MINUTE_MS

HOUR_MS: Final = 3_600_000
BPS: Final = 10_000.0
POINTS_MAX: Final = 600
BUCKETS_BPS: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
FIT_FILLS_MIN: Final = 30
_MINUTES_MIN: Final = 30
_HORIZONS_S: Final = (0, *(ms // 1_000 for ms in HORIZONS_MS.values()))


class Fill(msgspec.Struct, frozen=True):
    """One fill of ours. ``sign``: 1 bought; ``mids``: at each horizon, None where not seen."""

    time_ms: int
    sign: int
    px: float
    sz: float
    fee: float
    crossed: bool
    mids: tuple[float | None, ...]


class Mean(msgspec.Struct, frozen=True):
    """A mean with its uncertainty; ``se`` None: fewer than two."""

    label: str
    count: int
    mean: float
    se: float | None


class Slope(msgspec.Struct, frozen=True):
    """A decay per bps with its standard error, from ``count`` fills. ``at_mid_per_h``: fills an
    hour and bp that the line has at the mid, ``at_mid_se_share`` its relative error; ``misfit``:
    chi-square per degree of freedom, 1 where nothing but chance is off the line.
    """

    per_bps: float
    se: float
    count: int
    at_mid_per_h: float
    at_mid_se_share: float
    misfit: float


class MarketPage(msgspec.Struct, frozen=True):
    """One market. Paths are (ms, value); money in the DEX's collateral, positions in coins."""

    market: str
    period: Period
    edge: Edge | None
    hours: float
    pnl: tuple[tuple[int, float], ...]
    position: tuple[tuple[int, float], ...]
    markouts: tuple[Mean, ...]
    by_depth: tuple[Mean, ...]
    fills_by_depth: tuple[tuple[str, int], ...]
    sigma_bps: Mean | None
    decay: Slope | None


def gather(ledger_db: Path, since_ms: int, until_ms: int) -> list[MarketPage]:
    """Every market with something to show. Raises LedgerUnreadable."""
    kept = edges(ledger_db, until_ms)
    found = periods(ledger_db, [since_ms, until_ms])
    pages = []
    with reading(ledger_db) as db:
        if db is None:
            return []
        for period in found:
            fills = _fills(db, period.market, since_ms, until_ms)
            marks = _marks(db, period.market, since_ms, until_ms)
            held = _held(db, period.market, since_ms)
            pages.append(_page(period, kept.get(period.market), fills, marks, held))
    return pages


def _page(
    period: Period,
    edge: Edge | None,
    fills: Sequence[Fill],
    marks: Sequence[tuple[int, float]],
    held: float,
) -> MarketPage:
    pnl, position = paths(fills, marks, held)
    hours = max(period.until_ms - period.since_ms, 1) / HOUR_MS
    return MarketPage(
        market=period.market,
        period=period,
        edge=edge,
        hours=hours,
        pnl=thinned(pnl),
        position=thinned(position),
        markouts=markouts(fills),
        by_depth=by_depth(fills),
        fills_by_depth=fills_by_depth(fills),
        sigma_bps=sigma(marks),
        decay=decay(fills, hours),
    )


def _held(db: sqlite3.Connection, market: str, since_ms: int) -> float:
    """The position at the start: before the first fill since then, else what is held now."""
    row = db.execute(
        "SELECT CAST(start_position_sz AS REAL) FROM fill WHERE market = ? AND time_ms >= ?"
        " ORDER BY time_ms, tid LIMIT 1",
        (market, since_ms),
    ).fetchone()
    if row is None:
        row = db.execute(
            "SELECT CAST(position_sz AS REAL) FROM book WHERE market = ?", (market,)
        ).fetchone()
    return float(row[0]) if row else 0.0


def _fills(db: sqlite3.Connection, market: str, since_ms: int, until_ms: int) -> list[Fill]:
    rows = db.execute(
        "SELECT time_ms, side, CAST(px AS REAL), CAST(sz AS REAL), CAST(fee AS REAL), crossed,"
        " mid_px, mid_1s_px, mid_10s_px, mid_60s_px FROM fill"
        " WHERE market = ? AND ours AND time_ms >= ? AND time_ms < ? ORDER BY time_ms, tid",
        (market, since_ms, until_ms),
    )
    return [
        Fill(int(at), 1 if side == "B" else -1, px, sz, fee, bool(crossed), tuple(mids))
        for at, side, px, sz, fee, crossed, *mids in rows
    ]


def _marks(
    db: sqlite3.Connection, market: str, since_ms: int, until_ms: int
) -> list[tuple[int, float]]:
    rows = db.execute(
        "SELECT minute_ms, (bid_px + ask_px) / 2 FROM market_mark WHERE market = ?"
        " AND minute_ms >= ? AND minute_ms < ? AND bid_px IS NOT NULL AND ask_px IS NOT NULL"
        " ORDER BY minute_ms",
        (market, since_ms - since_ms % MINUTE_MS, until_ms),
    )
    return [(int(at), float(mid)) for at, mid in rows]


def paths(
    fills: Sequence[Fill], marks: Sequence[tuple[int, float]], held: float
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """(P&L at the mid net of fees, position), at each mark and each fill."""
    cash, pnl, position = 0.0, [], []
    first_px = marks[0][1] if marks else (fills[0].px if fills else 0.0)
    start = held * first_px
    moments = sorted(
        [(at, 0, mid) for at, mid in marks] + [(f.time_ms, 1, i) for i, f in enumerate(fills)]
    )
    mid = first_px
    for at, kind, what in moments:
        if kind:
            fill = fills[int(what)]
            cash -= fill.sign * fill.sz * fill.px + fill.fee
            held += fill.sign * fill.sz
            mid = fill.mids[0] or mid
            position.append((at, held))
        else:
            mid = float(what)
        pnl.append((at, cash + held * mid - start))
    return pnl, position


def markouts(fills: Sequence[Fill]) -> tuple[Mean, ...]:
    """The mean markout at each horizon; bps."""
    found = []
    for index, seconds in enumerate(_HORIZONS_S):
        values = [_markout(fill, index) for fill in fills]
        seen = [value for value in values if value is not None]
        if seen:
            found.append(mean_of(f"{seconds} s", seen))
    return tuple(found)


def _markout(fill: Fill, index: int) -> float | None:
    mid = fill.mids[index]
    return None if mid is None else fill.sign * (mid - fill.px) / fill.px * BPS


def _depth_bps(fill: Fill) -> float | None:
    """How far from the mid it was filled, on its own side; below zero: it took."""
    return _markout(fill, 0)


def _bucket(depth_bps: float) -> int:
    return sum(depth_bps >= lower for lower in BUCKETS_BPS[1:])


def _label(bucket: int) -> str:
    upper = BUCKETS_BPS[bucket + 1 : bucket + 2]
    lower = BUCKETS_BPS[bucket]
    return f"{lower:g}-{upper[0]:g}" if upper else f"{lower:g}+"


def by_depth(fills: Sequence[Fill]) -> tuple[Mean, ...]:
    """What fills were worth a minute later, by how far from the mid they were; bps."""
    values: dict[int, list[float]] = {}
    for fill in fills:
        depth_bps, later = _depth_bps(fill), _markout(fill, len(_HORIZONS_S) - 1)
        if depth_bps is not None and later is not None:
            values.setdefault(_bucket(depth_bps), []).append(later)
    return tuple(mean_of(_label(bucket), values[bucket]) for bucket in sorted(values))


def fills_by_depth(fills: Sequence[Fill]) -> tuple[tuple[str, int], ...]:
    """How many fills came at which distance from the mid, bps."""
    depths = [depth for fill in fills if (depth := _depth_bps(fill)) is not None]
    return tuple(
        (_label(bucket), sum(_bucket(depth) == bucket for depth in depths))
        for bucket in range(len(BUCKETS_BPS))
    )


def mean_of(label: str, values: Sequence[float]) -> Mean:
    count = len(values)
    mean = sum(values) / count
    if count < 2:
        return Mean(label, count, mean, None)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    return Mean(label, count, mean, spread / math.sqrt(count))


def sigma(marks: Sequence[tuple[int, float]]) -> Mean | None:
    """Volatility of the minutes' mids, bps per sqrt(s); its error as if returns were normal."""
    squares = [
        (math.log(after / before) * BPS) ** 2 / ((at - since) / 1_000)
        for (since, before), (at, after) in pairwise(marks)
        if at - since <= 2 * MINUTE_MS
    ]
    if len(squares) < _MINUTES_MIN:
        return None
    value = math.sqrt(sum(squares) / len(squares))
    return Mean("sigma", len(squares), value, value / math.sqrt(2 * len(squares)))


def decay(fills: Sequence[Fill], hours: float) -> Slope | None:
    """Slope of log(fills per bps of width) over depth, each bucket weighed by its fills."""
    widths = [upper - lower for lower, upper in pairwise(BUCKETS_BPS)]
    counts = [count for _, count in fills_by_depth(fills)][: len(widths)]
    rows = [
        (lower + width / 2, math.log(count / width), count)
        for lower, width, count in zip(BUCKETS_BPS, widths, counts, strict=False)
        if count
    ]
    total = sum(count for *_, count in rows)
    if total < FIT_FILLS_MIN or len(rows) < 3:
        return None
    mean_x = sum(count * x for x, _, count in rows) / total
    mean_y = sum(count * y for _, y, count in rows) / total
    over = sum(count * (x - mean_x) ** 2 for x, _, count in rows)
    slope = sum(count * (x - mean_x) * (y - mean_y) for x, y, count in rows) / over
    off = sum(count * (y - mean_y - slope * (x - mean_x)) ** 2 for x, y, count in rows)
    return Slope(
        per_bps=-slope,
        se=1 / math.sqrt(over),
        count=total,
        at_mid_per_h=math.exp(mean_y - slope * mean_x) / hours,
        at_mid_se_share=math.sqrt(1 / total + mean_x**2 / over),
        misfit=off / (len(rows) - 2),
    )


def thinned(path: Sequence[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """At most ``POINTS_MAX`` points, the first and the last among them."""
    if len(path) <= POINTS_MAX:
        return tuple(path)
    step = (len(path) - 1) / (POINTS_MAX - 1)
    return tuple(path[round(i * step)] for i in range(POINTS_MAX))
