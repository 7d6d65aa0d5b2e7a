"""``python -m fleet.scarcity.main``: a new account's first day under several policies."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Final

from fleet.gateway.core.request_price import FREE
from fleet.scarcity.account import Careless, Governed, Policy
from fleet.scarcity.day import Result, day, paths
from fleet.scarcity.flow import DAY_S, KINDS
from fleet.scarcity.quotes import strategy_of

POLICIES: Final[tuple[tuple[str, Callable[[], Policy]], ...]] = (
    ("naive", lambda: Careless(None)),
    ("tolerance alone", lambda: Careless(FREE)),
    ("tolerance alone, buying", lambda: Careless(FREE, buys=True)),
    ("governed", Governed),
    ("governed, 5 USD a day", lambda: Governed(5.0)),
)
COLUMNS: Final = (
    "markets", "policy", "quoted", "P&L USD", "bought USD", "fills", "requests/USD", "left",
    "empty after", "cancels refused",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Print the market, then a row for each fleet and policy."""
    parser = argparse.ArgumentParser(prog="python -m fleet.scarcity.main", description=__doc__)
    parser.add_argument("--markets", type=int, nargs="+", default=[1, 5, 20, 40])
    parser.add_argument("--hours", type=float, default=24.0, help="of the day (default 24)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--clip-usd", type=float, default=200.0, help="of one order (default 200)")
    names = [name for name, _ in POLICIES]
    parser.add_argument("--policy", choices=names, nargs="+", default=names)
    options = parser.parse_args(argv)
    say = sys.stdout.write
    say(_flows(options.clip_usd))
    say(f"\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n")
    for markets in options.markets:
        found = paths(markets, options.seed, int(min(options.hours * 3_600, DAY_S)))
        for name in options.policy:
            make = dict(POLICIES)[name]
            say(row(markets, name, day(found, make(), options.clip_usd)))
            sys.stdout.flush()
    return 0


def row(markets: int, name: str, result: Result) -> str:
    """One line of the table."""
    per_usd = result.requests_per_usd
    used = "-" if per_usd is None else f"{per_usd:.2f}"
    empty = _span(result.hours_to_empty)
    cells = (
        str(markets), name, f"{result.uptime_share:.1%}", f"{result.pnl_usd:,.2f}",
        f"{result.bought_usd:.2f}", f"{result.fills:,}", used,
        f"{result.left:,}", empty, f"{result.cancels_refused:,}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _span(hours: float | None) -> str:
    if hours is None:
        return "-"
    if hours >= 1.0:
        return f"{hours:.1f} h"
    return f"{60 * hours:.0f} min" if hours >= 0.05 else f"{3_600 * hours:.0f} s"


def _flows(clip_usd: float) -> str:
    head = (
        "market  sigma bps/sqrt(s)  A 1/s  of it ours  kappa 1/bps  impact bps  half-spread bps\n"
    )
    lines = [
        f"{flow.name:<8}{flow.sigma_bps:>16.2f}{flow.fills_per_s:>8.3f}{flow.share:>11.0%}"
        f"{flow.kappa_per_bps:>13.2f}{flow.impact_bps:>12.1f}"
        f"{strategy_of(flow, clip_usd).half_bps:>17.2f}\n"
        for flow in KINDS
    ]
    return head + "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
