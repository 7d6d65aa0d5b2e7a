"""From what was seen to Prometheus's families; what is not known has no sample."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from agents.runtime.loops import LoopView
from agents.telemetry.timings import BOUNDS_S, Timing
from fleet.metrics import of_market, tables
from fleet.metrics.declared import Durations, Kind, Labelled, Metric
from fleet.metrics.seen import MarketSeen, Seen

_LE = (*(repr(bound) for bound in BOUNDS_S), "+Inf")


def families(seen: Seen) -> Iterator[Family]:
    """Every declared metric, those without a sample too: a scrape always shows the same names."""
    for metric in tables.MARKET:
        yield _of_markets(metric, seen.markets)
    for labelled in tables.MARKET_BY:
        yield _of_markets_by(labelled, seen.markets)
    for metric_of_fleet in tables.FLEET:
        found = _family(metric_of_fleet.name, metric_of_fleet.kind, metric_of_fleet.help, ())
        _add(found, (), metric_of_fleet.read(seen))
        yield found
    for by in tables.FLEET_BY:
        found = _family(by.name, by.kind, by.help, by.labels)
        for labels, value in by.read(seen):
            _add(found, labels, value)
        yield found
    for durations in tables.DURATIONS:
        yield _histogram(durations, seen.loops.items())


def _of_markets(metric: Metric[MarketSeen], markets: Iterable[MarketSeen]) -> Family:
    found = _family(metric.name, metric.kind, metric.help, of_market.LABELS)
    for market in markets:
        _add(found, of_market.labels(market), metric.read(market))
    return found


def _of_markets_by(by: Labelled[MarketSeen], markets: Iterable[MarketSeen]) -> Family:
    found = _family(by.name, by.kind, by.help, (*of_market.LABELS, *by.labels))
    for market in markets:
        for labels, value in by.read(market):
            _add(found, (*of_market.labels(market), *labels), value)
    return found


def _family(name: str, kind: Kind, text: str, labels: tuple[str, ...]) -> Family:
    make = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    return make(name, text, labels=labels)


def _add(family: Family, labels: tuple[str, ...], value: float | None) -> None:
    if value is not None:
        family.add_metric(labels, value)  # type: ignore[attr-defined]  # both kinds have it


def _histogram(durations: Durations, loops: Iterable[tuple[str, LoopView]]) -> Family:
    found = HistogramMetricFamily(durations.name, durations.help, labels=("process",))
    for process, view in loops:
        timing: Timing | None = view.timings.get(durations.timing)
        if timing is not None and len(timing.counts) == len(_LE):
            counts = accumulate(timing.counts)
            found.add_metric((process,), list(zip(_LE, counts, strict=True)), timing.sum_s)
    return found


class _Once(Collector):
    """Prometheus's registry wants a collector; this one shows one moment."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Family]:
        return families(self._seen)


def text(seen: Seen) -> bytes:
    """Prometheus's text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(seen))
    return generate_latest(registry)
