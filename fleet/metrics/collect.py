"""From what was seen to Prometheus's text format 0.0.4; what is not known has no sample.

The lines are made here and not by the client library, whose checks of every name on every line take
several times as long; a test has the library read them back.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from agents.runtime.loops import LoopView
from agents.telemetry.timings import BOUNDS_S, Timing
from fleet.metrics import of_market, tables
from fleet.metrics.declared import Durations, Value
from fleet.metrics.seen import Seen

_LE: Final = tuple(f'le="{bound}"' for bound in (*map(repr, BOUNDS_S), "+Inf"))
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_SPECIAL: Final = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}


def text(seen: Seen) -> bytes:
    """Every declared metric, those without a sample too: a scrape always shows the same names."""
    return "".join(f"{line}\n" for line in _lines(seen)).encode()


def _lines(seen: Seen) -> Iterator[str]:
    markets = [(each, named(of_market.LABELS, of_market.labels(each))) for each in seen.markets]
    for metric in tables.MARKET:
        yield from _head(metric.name, metric.kind, metric.help)
        for market, labels in markets:
            yield from _sample(metric.name, labels, metric.read(market))
    for by in tables.MARKET_BY:
        yield from _head(by.name, by.kind, by.help)
        for market, labels in markets:
            for values, value in by.read(market):
                yield from _sample(by.name, f"{labels},{named(by.labels, values)}", value)
    for of_all in tables.FLEET:
        yield from _head(of_all.name, of_all.kind, of_all.help)
        yield from _sample(of_all.name, "", of_all.read(seen))
    for of_all_by in tables.FLEET_BY:
        yield from _head(of_all_by.name, of_all_by.kind, of_all_by.help)
        for values, value in of_all_by.read(seen):
            yield from _sample(of_all_by.name, named(of_all_by.labels, values), value)
    for durations in tables.DURATIONS:
        yield from _head(durations.name, "histogram", durations.help)
        yield from _histogram(durations, seen.loops.items())


def named(names: Iterable[str], values: Iterable[str]) -> str:
    """Labels as they stand in a line's braces."""
    return ",".join(
        f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True)
    )


def _head(name: str, kind: str, help_text: str) -> tuple[str, str]:
    return f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"


def _sample(name: str, labels: str, value: Value) -> tuple[str, ...]:
    if value is None:
        return ()
    number = repr(float(value))
    braces = f"{{{labels}}}" if labels else ""
    return (f"{name}{braces} {_SPECIAL.get(number, number)}",)


def _histogram(durations: Durations, loops: Iterable[tuple[str, LoopView]]) -> Iterator[str]:
    for process, view in loops:
        timing: Timing | None = view.timings.get(durations.timing)
        if timing is None or len(timing.counts) != len(_LE):
            continue
        labels, total = named(("process",), (process,)), 0
        for le, total in zip(_LE, accumulate(timing.counts), strict=True):
            yield f"{durations.name}_bucket{{{labels},{le}}} {total}"
        yield f"{durations.name}_count{{{labels}}} {total}"
        yield f"{durations.name}_sum{{{labels}}} {timing.sum_s!r}"
