"""One market's metrics that its agent's insight tells, and what its fills were worth of late."""

from collections.abc import Callable, Iterator
from typing import Final

from agents.estimators.estimates import Beliefs
from agents.estimators.regime import Regime
from agents.market.units import BPS
from agents.strategy.components import HalfSpread
from agents.telemetry.insight import Insight
from fleet.metrics.declared import Labelled, Metric, Value
from fleet.metrics.of_market import reported
from fleet.metrics.seen import MarketSeen

Rows = Iterator[tuple[tuple[str, ...], Value]]
MISMATCHES: Final = ("orphan", "missing", "position")
EDGE_S: Final = 60
_REGIMES: Final = {regime.value: rank for rank, regime in enumerate(Regime)}
PARTS: Final = tuple(name[:-4] for name in HalfSpread.__struct_fields__ if name.endswith("_bps"))
_NORMAL_95: Final = 1.96


def _told(read: Callable[[Insight], Value]) -> Callable[[MarketSeen], Value]:
    return reported(lambda report: read(report.insight))


def _insight(seen: MarketSeen) -> Insight | None:
    report = seen.view.report
    return None if report is None or seen.view.lease.owner != "agent" else report.insight


def _at_touch(seen: MarketSeen) -> Value:
    report, insight = seen.view.report, _insight(seen)
    if report is None or insight is None or not report.quoting_due_s:
        return None
    return insight.tally.touch_s / report.quoting_due_s


def _kappa_end(sign: int) -> Callable[[MarketSeen], Value]:
    def value(seen: MarketSeen) -> Value:
        report, insight = seen.view.report, _insight(seen)
        if report is None or insight is None or report.kappa_per_bps is None:
            return None
        if insight.kappa_se_per_bps is None:
            return None
        return max(0.0, report.kappa_per_bps + sign * _NORMAL_95 * insight.kappa_se_per_bps)

    return value


def _depth(at: int) -> Callable[[Insight], Value]:
    return lambda insight: None if insight.depth_usd is None else insight.depth_usd[at]


def _parts(seen: MarketSeen) -> Rows:
    insight = _insight(seen)
    for side, parts in insight.parts_bps.items() if insight else ():
        for part in PARTS:
            yield (side, part), parts.get(part, 0.0)


def _quote_ages(seen: MarketSeen) -> Rows:
    insight = _insight(seen)
    for side, age_ms in insight.quote_age_ms.items() if insight else ():
        yield (side,), age_ms


def _refused(seen: MarketSeen) -> Rows:
    insight = _insight(seen)
    if insight is not None:
        told = {"post_only_crossed": 0, **insight.tally.refused}
        for reason, count in told.items():
            yield (reason,), count


def _mismatches(seen: MarketSeen) -> Rows:
    insight = _insight(seen)
    for kind in MISMATCHES if insight else ():
        yield (kind,), insight.tally.mismatches.get(kind, 0) if insight else None


def _ready(seen: MarketSeen) -> Rows:
    insight = _insight(seen)
    for name in Beliefs.__struct_fields__ if insight else ():
        yield (name,), int(insight is not None and name not in insight.unknown)


def _markout(seen: MarketSeen) -> Rows:
    for (side, horizon_s), later in seen.hour.items():
        yield (str(horizon_s), side), later.edge_usd / later.notional_usd * BPS


def _adverse(seen: MarketSeen) -> Rows:
    for (side, horizon_s), later in seen.hour.items():
        yield (str(horizon_s), side), 0.0 - later.adverse_usd / later.notional_usd * BPS


def _edge(*, net: bool) -> Callable[[MarketSeen], Value]:
    def value(seen: MarketSeen) -> Value:
        rows = [later for (_, after_s), later in seen.hour.items() if after_s == EDGE_S]
        notional_usd = sum(row.notional_usd for row in rows)
        if not notional_usd:
            return None
        won_usd = sum(row.edge_usd - (row.fees_usd if net else 0.0) for row in rows)
        return won_usd / notional_usd * BPS

    return value


GAUGES: Final[tuple[Metric[MarketSeen], ...]] = (
    Metric("mm_gross_edge_bps", "gauge", "mean worth of the hour's fills a minute later",
           _edge(net=False)),
    Metric("mm_net_edge_bps", "gauge", "of that, what is left after their fees", _edge(net=True)),
    Metric("mm_orders_placed_total", "counter", "orders of this process that the venue took",
           _told(lambda i: i.tally.placed)),
    Metric("mm_orders_modified_total", "counter",
           "of those, orders that took an old one's place in one step",
           _told(lambda i: i.tally.replaced)),
    Metric("mm_orders_cancelled_total", "counter", "cancels that the venue confirmed",
           _told(lambda i: i.tally.cancelled)),
    Metric("mm_time_at_bbo_ratio", "gauge",
           "share of due time at the market's best price, mean of both sides", _at_touch),
    Metric("mm_last_trade_age_ms", "gauge", "since the market's newest public trade",
           _told(lambda i: i.trade_age_ms)),
    Metric("mm_jump_ratio", "gauge", "squared volatility with jumps over that without; 1: none",
           _told(lambda i: i.jump_ratio)),
    Metric("mm_volatility_regime", "gauge", "0 low, 1 normal, 2 high, 3 extreme",
           _told(lambda i: None if i.regime is None else _REGIMES.get(i.regime))),
    Metric("mm_cascade_severity", "gauge", "forced flow, 0 to 1", _told(lambda i: i.cascade_share)),
    Metric("mm_toxicity_score", "gauge", "agreement of trade signs, 0 at random",
           _told(lambda i: i.toxicity_share)),
    Metric("mm_excitement_ratio", "gauge", "trades expected now over their mean rate",
           _told(lambda i: i.excitement_ratio)),
    Metric("mm_kappa_95_lower", "gauge", "kappa, lower end of its 95 % interval", _kappa_end(-1)),
    Metric("mm_kappa_95_upper", "gauge", "kappa, upper end of its 95 % interval", _kappa_end(1)),
    Metric("mm_fill_intensity_se", "gauge", "standard error of mm_fill_intensity, 1/s",
           _told(lambda i: i.fills_se_per_s)),
    Metric("mm_bid_depth_usd", "gauge", "resting bids within 10 bps of the mid", _told(_depth(0))),
    Metric("mm_ask_depth_usd", "gauge", "resting asks within 10 bps of the mid", _told(_depth(1))),
)  # fmt: skip

LABELLED: Final[tuple[Labelled[MarketSeen], ...]] = (
    Labelled("mm_half_spread_part_bps", "gauge", "a component of a side's half-spread",
             ("side", "component"), _parts),
    Labelled("mm_quote_age_ms", "gauge", "age of the best order that rests", ("side",),
             _quote_ages),
    Labelled("mm_venue_reject_total", "counter", "orders of this process that the venue refused",
             ("reason",), _refused),
    Labelled("mm_reconcile_mismatch_total", "counter",
             "orphan: listed, not held; missing: held, not listed; position: began to differ",
             ("kind",), _mismatches),
    Labelled("mm_estimator_ready", "gauge", "1 where the estimator knows something", ("name",),
             _ready),
    Labelled("mm_fill_markout_bps", "gauge", "mid later less price of the hour's fills, signed",
             ("horizon_s", "side"), _markout),
    Labelled("mm_adverse_selection_bps", "gauge", "what the mid did against the hour's fills",
             ("horizon_s", "side"), _adverse),
)  # fmt: skip
