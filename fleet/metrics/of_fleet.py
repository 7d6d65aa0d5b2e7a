"""The metrics of the fleet as a whole: account, gateway, budgets, risk, processes, durations."""

from collections.abc import Callable, Iterator
from typing import Final

from agents.market.units import MS_PER_S
from fleet.gateway.api import GatewayStatus
from fleet.metrics.declared import Durations, Labelled, Metric, Value
from fleet.metrics.seen import Seen

Rows = Iterator[tuple[tuple[str, ...], Value]]
_STATES: Final = {"normal": 0, "reduce_only": 1, "halt": 2}
_NONE_REFUSED: Final = dict.fromkeys(
    ("budget", "duplicate", "fenced", "link_down", "malformed", "not_post_only", "rate_limited",
     "stale_generation", "throttle"), 0
)  # fmt: skip
"""Shown as 0 before the first; caps and the like appear as they bind."""


def _gateway(read: Callable[[GatewayStatus], Value]) -> Callable[[Seen], Value]:
    return lambda seen: None if seen.gateway is None else read(seen.gateway)


def _risk_age(status: GatewayStatus) -> Value:
    return None if status.risk is None else status.risk.age_ms / MS_PER_S


def _risk_state(status: GatewayStatus) -> Value:
    return None if status.risk is None else _STATES.get(status.risk.state)


def _gross(status: GatewayStatus) -> Value:
    return status.caps_use.gross_usd if status.caps_use else None


def _net(status: GatewayStatus) -> Value:
    return status.caps_use.net_usd if status.caps_use else None


def _processes(seen: Seen) -> Rows:
    for process, lives in seen.processes.items():
        yield (process,), int(lives)


def _worst_gaps(seen: Seen) -> Rows:
    for process, view in seen.loops.items():
        yield (process,), view.minute_worst_ms


def _stalls(seen: Seen) -> Rows:
    for process, view in seen.loops.items():
        yield (process,), view.stalls


def _uptimes(seen: Seen) -> Rows:
    for process, view in seen.loops.items():
        yield (process,), view.watched_s


def _refusals(seen: Seen) -> Rows:
    if seen.gateway is not None:
        for reason, count in {**_NONE_REFUSED, **seen.gateway.refusals}.items():
            yield (reason,), count


def _strain(seen: Seen) -> Rows:
    for name in seen.gateway.strain if seen.gateway else ():
        yield (name,), 1


def _cautions(seen: Seen) -> Rows:
    for cause in seen.gateway.cautions if seen.gateway else ():
        yield (cause,), 1


def _equity(seen: Seen) -> Rows:
    for dex in seen.gateway.dexes if seen.gateway else ():
        yield (dex.dex, dex.token), float(dex.account_value)


def _margin(seen: Seen) -> Rows:
    for dex in seen.gateway.dexes if seen.gateway else ():
        yield (dex.dex, dex.token), float(dex.margin_used)


def _token_marks(seen: Seen) -> Rows:
    for token, mark in sorted(
        {d.token: d.token_mark_usd for d in seen.gateway.dexes}.items() if seen.gateway else ()
    ):
        yield (token,), mark


GAUGES: Final[tuple[Metric[Seen], ...]] = (
    Metric("mm_gateway_up", "gauge", "1 while the gateway answers",
           lambda seen: int(seen.gateway is not None)),
    Metric("mm_websocket_connected", "gauge", "1 while the venue's connection is up",
           _gateway(lambda s: int(s.link == "up"))),
    Metric("mm_link_age_secs", "gauge", "since the connection came up or went down",
           _gateway(lambda s: max(0, s.as_of_ms - s.link_since_ms) / MS_PER_S)),
    Metric("mm_ws_reconnection_total", "counter", "times the venue's connection was lost",
           _gateway(lambda s: s.link_losses)),
    Metric("mm_halted", "gauge", "1 while the halt latch is set",
           _gateway(lambda s: int(s.halt is not None))),
    Metric("mm_markets", "gauge", "markets that the gateway serves",
           _gateway(lambda s: len(s.markets))),
    Metric("mm_foreign_orders", "gauge", "orders on the account that are not ours",
           _gateway(lambda s: s.foreign_orders)),
    Metric("mm_unresolved_placements", "gauge", "placements whose outcome is not known",
           _gateway(lambda s: s.unresolved)),
    Metric("mm_second_controller", "gauge", "1 while another fleet trades the account",
           _gateway(lambda s: int(s.second_controller is not None))),
    Metric("mm_unwritable", "gauge", "1 while log or files can't be written: no new risk",
           _gateway(lambda s: int(s.unwritable is not None))),
    Metric("mm_venue_clock_offset_ms", "gauge", "the venue's clock less ours",
           _gateway(lambda s: s.venue_offset_ms)),
    Metric("mm_ip_weight_used_ratio", "gauge", "of the IP's weight a minute, 0 to 1",
           _gateway(lambda s: s.ip_weight_used_share)),
    Metric("mm_quota_remaining", "gauge", "actions left in the account's allowance",
           _gateway(lambda s: s.allowance.left)),
    Metric("mm_quota_burn_per_h", "gauge", "actions spent less earned, of the last hour",
           _gateway(lambda s: s.allowance.burn_per_h)),
    Metric("mm_quota_hours_to_empty", "gauge", "until the allowance is used up at that pace",
           _gateway(lambda s: s.allowance.hours_to_empty)),
    Metric("mm_request_price_usd", "gauge", "what a request must be worth to be sent",
           _gateway(lambda s: s.allowance.request_usd)),
    Metric("mm_requests_bought_usd", "gauge", "spent on requests in the UTC day",
           _gateway(lambda s: s.allowance.bought_usd)),
    Metric("mm_dead_man_armed", "gauge", "1 while the venue would cancel all by itself",
           _gateway(lambda s: int(s.dead_man.state == "armed"))),
    Metric("mm_gross_worst_usd", "gauge", "gross exposure if the worst of what is open fills",
           _gateway(_gross)),
    Metric("mm_net_worst_usd", "gauge", "net exposure if the worst of what is open fills",
           _gateway(_net)),
    Metric("mm_risk_state", "gauge", "0 normal, 1 reduce-only, 2 halt", _gateway(_risk_state)),
    Metric("mm_directive_age_secs", "gauge", "age of the risk actor's last round",
           _gateway(_risk_age)),
    Metric("mm_drawdown_pct", "gauge", "from the peak of equity net of transfers, percent",
           lambda seen: None if seen.drawdown_share is None else 100 * seen.drawdown_share),
    Metric("mm_log_records_total", "counter", "records in the action log",
           _gateway(lambda s: s.log_seq)),
)  # fmt: skip

LABELLED: Final[tuple[Labelled[Seen], ...]] = (
    Labelled("mm_process_up", "gauge", "1 while the process lives", ("process",), _processes),
    Labelled("mm_uptime_secs", "gauge", "since the process's loop began", ("process",), _uptimes),
    Labelled("mm_loop_gap_worst_ms", "gauge", "a loop's longest gap of the last minute",
             ("process",), _worst_gaps),
    Labelled("mm_loop_stalls_total", "counter", "gaps of a loop over 100 ms", ("process",),
             _stalls),
    Labelled("mm_order_reject_total", "counter", "what the door refused", ("reason",), _refusals),
    Labelled("mm_venue_strain", "gauge", "1 while the venue takes no new risk from us", ("state",),
             _strain),
    Labelled("mm_caution", "gauge", "1 while the whole fleet only reduces", ("cause",), _cautions),
    Labelled("mm_equity", "gauge", "account value of a DEX, in its token", ("dex", "token"),
             _equity),
    Labelled("mm_margin_used", "gauge", "margin in use at a DEX, in its token", ("dex", "token"),
             _margin),
    Labelled("mm_token_mark_usd", "gauge", "what a collateral token is worth", ("token",),
             _token_marks),
)  # fmt: skip

DURATIONS: Final[tuple[Durations, ...]] = (
    Durations("mm_event_loop_lag_seconds", "how late a loop's timer of 20 ms came",
              "event_loop_lag"),
    Durations("mm_tick_to_order_seconds", "a frame at the agent until its orders were sent",
              "tick_to_order"),
    Durations("mm_gateway_in_seconds", "a venue's frame at the gateway until it was handed on",
              "gateway_in"),
    Durations("mm_gateway_out_seconds", "an agent's action at the gateway until its signed bytes"
              " were handed to the socket", "gateway_out"),
    Durations("mm_ack_seconds", "an action signed until the venue's answer", "ack"),
)  # fmt: skip
