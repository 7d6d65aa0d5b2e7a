"""The table of all metrics, as Markdown: ``python -m fleet.metrics.table > docs/metrics.md``."""

import sys
from collections.abc import Iterator
from typing import Final

from fleet.metrics import of_market, tables

HEAD: Final = """# Metrics

One endpoint a fleet: `http://127.0.0.1:9090/metrics` (`metrics:` in the manifest), and
`GET /metrics` on the control socket. Each scrape looks anew; what is not known has no sample.
Names of the ancestor are kept where they mean the same. This page is made by
`python -m fleet.metrics.table`.
"""

TAIL: Final = """
## Of the ancestor's, what is told otherwise

| there | here |
|---|---|
| `mm_as_500ms_bps`, `mm_as_1000ms_bps`, `mm_as_2000ms_bps`, `mm_as_best_horizon_ms` | \
`mm_adverse_selection_bps` by `horizon_s`; no horizon is picked by hindsight |
| `our_half_spread_bps{side,component}` | `mm_half_spread_part_bps`: its parts add up exactly |
| `mm_modify_fallbacks_total` | nothing is re-sent blind; `mm_venue_reject_total`, by reason |
| `mm_ws_ping_latency_ms`, `mm_ws_pong_timeout_total`, `mm_ws_time_since_pong_ms` | \
`mm_ack_seconds` times real answers; a connection that is silent is given up: \
`mm_ws_reconnection_total` |
| `mm_supervisor_stale_count`, `mm_supervisor_reconnect_signals_total` | `mm_process_up`, \
`mm_report_age_secs`, `mm_leases_total` |
| `mm_data_quality_issues_total`, `mm_message_loss_count`, `mm_crossed_book_incidents` | \
`mm_feed_gap`; the monitor that acts on it is in `mm_gate_reason` |
| `mm_exchange_max_long` and its seven sisters | no limit is taken from the venue: ours are \
enforced at the gateway's door, `mm_order_reject_total`; what the venue refuses is in \
`mm_venue_reject_total` |
| `mm_kelly_*`, `mm_impulse_*`, `mm_learned_*`, `mm_calibration_*`, `mm_robust_kappa_*`, \
`mm_param_correlation`, `mm_as_factor` | there is no such part; what is known and how well: \
`mm_estimator_ready`, `mm_kappa_95_lower`, `mm_kappa_95_upper`, `mm_fill_intensity_se` |
"""


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(name, kind, labels, help) of every declared metric."""
    base = of_market.LABELS
    for metric in tables.MARKET:
        yield metric.name, metric.kind, ", ".join(base), metric.help
    for labelled in tables.MARKET_BY:
        yield labelled.name, labelled.kind, ", ".join((*base, *labelled.labels)), labelled.help
    for of_all in tables.FLEET:
        yield of_all.name, of_all.kind, "", of_all.help
    for by in tables.FLEET_BY:
        yield by.name, by.kind, ", ".join(by.labels), by.help
    for durations in tables.DURATIONS:
        yield durations.name, "histogram", "process", durations.help


def page() -> str:
    """The whole page."""
    lines = [f"| `{name}` | {kind} | {labels} | {text} |" for name, kind, labels, text in rows()]
    return "\n".join(
        [HEAD, "| metric | kind | labels | what it shows |", "|---|---|---|---|", *lines, TAIL]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
