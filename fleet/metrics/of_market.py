"""The metrics of one market: labels market, dex, underlying."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from agents.commands import Report
from agents.market.units import BPS, MS_PER_S
from fleet.ledger import query
from fleet.ledger.query import MarketPnl
from fleet.metrics.declared import Labelled, Metric, Value
from fleet.metrics.seen import MarketSeen

LABELS: Final = ("market", "dex", "underlying")
Rows = Iterator[tuple[tuple[str, ...], Value]]


def labels(seen: MarketSeen) -> tuple[str, ...]:
    """The values of ``LABELS``."""
    dex, _, ticker = seen.view.market.rpartition(":")
    return (seen.view.market, dex, seen.view.settings.underlying or ticker)


def reported(read: Callable[[Report], Value]) -> Callable[[MarketSeen], Value]:
    """Of the agent's report; a market without an agent has none."""

    def value(seen: MarketSeen) -> Value:
        report = seen.view.report
        return None if report is None or seen.view.lease.owner != "agent" else read(report)

    return value


def _booked(read: Callable[[MarketPnl], Decimal | int]) -> Callable[[MarketSeen], Value]:
    """Of the ledger; 0 before the first fill."""
    return lambda seen: 0.0 if seen.pnl is None else float(read(seen.pnl))


def _marked(seen: MarketSeen) -> float | None:
    """The position at its mark, in the DEX's collateral."""
    if not seen.view.position_sz:
        return 0.0
    mark_px = seen.view.mark_px
    return None if mark_px is None else float(seen.view.position_sz) * mark_px


def _used(seen: MarketSeen) -> float | None:
    worth = _marked(seen)
    return None if worth is None else abs(worth) / seen.view.settings.risk.position_max_usd


def _day_usd(seen: MarketSeen) -> Value:
    if seen.pnl is None:
        return 0.0
    found = query.day_usd(seen.pnl, seen.view.mark_px)
    return None if found is None else float(found)


def _unrealized(seen: MarketSeen) -> Value:
    if seen.pnl is None:
        return 0.0
    found = query.unrealized_usd(seen.pnl, seen.view.mark_px)
    return None if found is None else float(found)


def _spread_bps(seen: MarketSeen) -> float | None:
    bid_px, ask_px = seen.view.bid_px, seen.view.ask_px
    if bid_px is None or ask_px is None:
        return None
    return (ask_px - bid_px) / (ask_px + bid_px) * 2 * BPS


def _maker_ratio(seen: MarketSeen) -> float | None:
    if seen.pnl is None or not seen.pnl.fills:
        return None
    return 1.0 - seen.pnl.taker_fills / seen.pnl.fills


def _uptime(report: Report) -> float | None:
    return report.quoting_up_s / report.quoting_due_s if report.quoting_due_s else None


def _mode(seen: MarketSeen) -> Rows:
    report = seen.view.report
    phase = report.phase if report and seen.view.lease.owner == "agent" else "DOWN"
    yield (phase,), 1


def _gate(seen: MarketSeen) -> Rows:
    report = seen.view.report
    if report is not None and report.worst is not None:
        yield (report.worst.monitor, report.worst.mode), 1
    if seen.view.fenced:
        yield ("fence", "kill"), 1


def _owner(seen: MarketSeen) -> Rows:
    yield (seen.view.lease.owner,), 1


GAUGES: Final[tuple[Metric[MarketSeen], ...]] = (
    Metric("mm_position", "gauge", "position, coins, as the venue has it",
           lambda seen: float(seen.view.position_sz)),
    Metric("mm_position_usd", "gauge", "position at its mark, in the DEX's collateral", _marked),
    Metric("mm_inventory_utilization", "gauge", "position over position_max_usd, 0 to 1", _used),
    Metric("mm_pending_bid_exposure", "gauge", "coins in resting bids",
           lambda seen: float(seen.view.bids_sz)),
    Metric("mm_pending_ask_exposure", "gauge", "coins in resting asks",
           lambda seen: float(seen.view.asks_sz)),
    Metric("mm_net_pending_change", "gauge", "coins in resting bids less those in resting asks",
           lambda seen: float(seen.view.bids_sz - seen.view.asks_sz)),
    Metric("mm_worst_case_max_position", "gauge", "coins, if every resting bid filled",
           lambda seen: float(seen.view.position_sz + seen.view.bids_sz)),
    Metric("mm_worst_case_min_position", "gauge", "coins, if every resting ask filled",
           lambda seen: float(seen.view.position_sz - seen.view.asks_sz)),
    Metric("mm_position_drift", "gauge", "coins: the agent's position less the venue's",
           lambda seen: None if seen.view.report is None or seen.view.lease.owner != "agent"
           else float(seen.view.report.position_sz - seen.view.position_sz)),
    Metric("mm_daily_pnl", "gauge", "P&L of the UTC day, in the DEX's collateral", _day_usd),
    Metric("mm_realized_pnl", "gauge", "realised since the ledger began, before fees",
           _booked(lambda pnl: pnl.realized_usd)),
    Metric("mm_unrealized_pnl", "gauge", "unrealised, at the mark", _unrealized),
    Metric("mm_funding_pnl", "gauge", "funding received less paid, since the ledger began",
           _booked(lambda pnl: pnl.funding_usd)),
    Metric("mm_fees_paid", "gauge", "fees less rebates, since the ledger began",
           _booked(lambda pnl: pnl.fees_usd)),
    Metric("mm_orders_filled_total", "counter", "fills of our own orders",
           _booked(lambda pnl: pnl.fills)),
    Metric("mm_taker_fills_total", "counter", "of those, fills that took: quotes never should",
           _booked(lambda pnl: pnl.taker_fills)),
    Metric("mm_foreign_fills_total", "counter", "fills on the account that are not ours",
           _booked(lambda pnl: pnl.foreign_fills)),
    Metric("mm_unaccounted_fills_total", "counter", "fills the ledger never saw: gaps in position",
           _booked(lambda pnl: pnl.gaps)),
    Metric("mm_fill_volume_total", "counter", "notional of our fills",
           _booked(lambda pnl: pnl.volume_usd)),
    Metric("mm_maker_fill_ratio", "gauge", "share of fills that made; below 1 is an alarm",
           _maker_ratio),
    Metric("mm_mid_price", "gauge", "mid, as the agent sees it", reported(lambda r: r.mid_px)),
    Metric("mm_fair_price", "gauge", "the agent's fair price", reported(lambda r: r.fair_px)),
    Metric("mm_spread_bps", "gauge", "the market's own spread, bps of the mid", _spread_bps),
    Metric("mm_our_half_spread_bps", "gauge", "half-spread of our first level, all components",
           reported(lambda r: r.half_spread_bps)),
    Metric("mm_model_half_spread_bps", "gauge", "of that, the model's part and the fee",
           reported(lambda r: r.model_half_spread_bps)),
    Metric("mm_sigma", "gauge", "volatility, bps per square root of a second",
           reported(lambda r: r.sigma_bps)),
    Metric("mm_kappa", "gauge", "decay of fills with depth, 1/bps, mean of both sides",
           reported(lambda r: r.kappa_per_bps)),
    Metric("mm_fill_intensity", "gauge", "A: fills a second at the mid, mean of both sides",
           reported(lambda r: r.fills_per_s)),
    Metric("mm_cross_skew_bps", "gauge",
           "what positions in other markets move our quotes by; 0 where that is off",
           reported(lambda r: r.cross_bps or (None if r.half_spread_bps is None else 0.0))),
    Metric("mm_open_orders", "gauge", "orders of ours at the venue",
           lambda seen: seen.view.open_orders),
    Metric("mm_unknown_orders", "gauge", "orders whose outcome is not known; they count as open",
           reported(lambda r: r.unknown_orders)),
    Metric("mm_requests_total", "counter", "requests of this process to the gateway",
           reported(lambda r: r.requests)),
    Metric("mm_quote_uptime_ratio", "gauge", "share of due time with quotes up",
           reported(_uptime)),
    Metric("mm_data_staleness_secs", "gauge", "since the agent's last market data",
           reported(lambda r: None if r.data_age_ms is None else r.data_age_ms / MS_PER_S)),
    Metric("mm_last_book_age_ms", "gauge", "since the gateway's last book of the coin",
           lambda seen: seen.view.data_age_ms),
    Metric("mm_feed_gap", "gauge", "1 while the market's data can't be trusted",
           lambda seen: int(seen.view.stale is not None)),
    Metric("mm_leases_total", "counter", "leases given: one each start of an agent or caretaker",
           lambda seen: seen.view.lease.generation),
    Metric("mm_report_age_secs", "gauge", "since the agent's last report",
           lambda seen: None if seen.view.report_ms is None
           else max(0, seen.now_ms - seen.view.report_ms) / MS_PER_S),
    Metric("mm_kill_switch_triggered", "gauge", "1 while the market's fence is closed",
           lambda seen: int(seen.view.fenced)),
)  # fmt: skip

LABELLED: Final[tuple[Labelled[MarketSeen], ...]] = (
    Labelled("mm_phase", "gauge", "1 for the phase that the agent is in", ("phase",), _mode),
    Labelled("mm_owner", "gauge", "1 for who holds the market", ("owner",), _owner),
    Labelled("mm_gate_reason", "gauge", "1 for the monitor that binds, with what it asks for",
             ("reason", "mode"), _gate),
)  # fmt: skip
