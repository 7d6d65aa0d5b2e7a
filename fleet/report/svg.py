"""Charts as inline SVG: lines over time, and means with their error bars. No script, no network."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from fleet.report.gather import Mean

WIDTH: Final = 520
TICKS: Final = 5
HEIGHT: Final = 190
_LEFT: Final = 62
_TOP: Final = 12
_BOTTOM: Final = 26
_PLOT_W: Final = WIDTH - _LEFT - 10
_PLOT_H: Final = HEIGHT - _TOP - _BOTTOM


def line(path: Sequence[tuple[int, float]], label: str, *, steps: bool = False) -> str:
    """A value over time (ms); ``steps``: it holds until the next point."""
    if len(path) < 2:
        return _nothing(label)
    times, values = [at for at, _ in path], [value for _, value in path]
    low, high = _range(values)
    span = max(times[-1] - times[0], 1)
    points: list[str] = []
    for at, value in path:
        x, y = _LEFT + (at - times[0]) / span * _PLOT_W, _y(value, low, high)
        if steps and points:
            points.append(f"{x:.1f},{points[-1].partition(',')[2]}")
        points.append(f"{x:.1f},{y:.1f}")
    body = f'<polyline class="line" points="{" ".join(points)}"/>'
    ends = "".join(
        f'<text class="tick" x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{_clock(at)}</text>'
        for x, anchor, at in ((_LEFT, "start", times[0]), (WIDTH - 10, "end", times[-1]))
    )
    return _frame(label, low, high, body + ends)


def bars(rows: Sequence[Mean], label: str) -> str:
    """Each mean with two standard errors either way, and how many it is of."""
    if not rows:
        return _nothing(label)
    reach = [row.mean + sign * 2 * (row.se or 0.0) for row in rows for sign in (-1, 1)]
    low, high = _range(reach, zero=True)
    width = _PLOT_W / len(rows)
    body = []
    for index, row in enumerate(rows):
        middle = _LEFT + (index + 0.5) * width
        top, zero = _y(max(row.mean, 0.0), low, high), _y(0.0, low, high)
        height = abs(_y(row.mean, low, high) - zero)
        kind = "up" if row.mean >= 0 else "down"
        body.append(
            f'<rect class="{kind}" x="{middle - width * 0.3:.1f}" y="{top:.1f}"'
            f' width="{width * 0.6:.1f}" height="{max(height, 0.5):.1f}"/>'
        )
        if row.se is not None:
            ends = [_y(row.mean + sign * 2 * row.se, low, high) for sign in (-1, 1)]
            body.append(
                f'<line class="error" x1="{middle:.1f}" x2="{middle:.1f}"'
                f' y1="{ends[0]:.1f}" y2="{ends[1]:.1f}"/>'
            )
        text = f"{escape(row.label)} ({row.count})"
        place = f'x="{middle:.1f}" y="{HEIGHT - 8}" text-anchor="middle"'
        body.append(f'<text class="tick" {place}>{text}</text>')
    return _frame(label, low, high, "".join(body))


def counts(rows: Sequence[tuple[str, int]], label: str, *, hours: float) -> str:
    """How many of each came an hour; empty ones at the end are left out."""
    last = max((index for index, (_, count) in enumerate(rows) if count), default=-1)
    return bars([Mean(name, n, n / hours, None) for name, n in rows[: last + 1]], label)


def _range(values: Sequence[float], *, zero: bool = False) -> tuple[float, float]:
    """With a margin; ``zero``: it is one end, or within."""
    low, high = min(values), max(values)
    margin = (high - low) * 0.06 or max(abs(high), 1.0) * 0.05
    if zero:
        return min(low - margin * (low < 0), 0.0), max(high + margin * (high > 0), 0.0)
    return low - margin, high + margin


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers between the two."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def _y(value: float, low: float, high: float) -> float:
    return _TOP + (high - value) / (high - low) * _PLOT_H


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d %H:%MZ")


def _frame(label: str, low: float, high: float, body: str) -> str:
    grid = []
    for value in ticks(low, high):
        y = _y(value, low, high)
        grid.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 3:.1f}" text-anchor="end">'
            f"{value:,.6g}</text>"
        )
    if low < 0 < high:
        y = _y(0.0, low, high)
        grid.append(
            f'<line class="zero" x1="{_LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(grid)}{body}</svg>"
    )


def _nothing(label: str) -> str:
    return f'<p class="nothing">{escape(label)}: nothing to show yet</p>'
