"""A scrape of forty markets: the gateway's status read, the ledger asked, the text made."""

import msgspec

from fleet.gateway.api import GatewayStatus
from fleet.metrics.collect import text
from fleet.metrics.seen import MarketSeen, Seen
from tests.bench.figures import Figures, per_call_s
from tests.unit.fleet.metrics.test_collect import hour, lively, pnl
from tests.unit.fleet.views import NOW_MS, status

MARKETS = 40
PROCESSES = MARKETS + 6
LIMIT_S = 0.050
SCRAPES_PER_S = 0.2
CORE_SHARE_MAX = 0.02


def forty() -> tuple[bytes, Seen]:
    """What the gateway says of forty lively markets, and all of it as it is seen."""
    one = lively()
    first = one.markets[0].view
    views = [msgspec.structs.replace(first, market=f"hyna:M{n}") for n in range(MARKETS)]
    said = msgspec.json.encode(status(*views))
    whole = one.loops["gateway"]
    own = {name: whole.timings[name] for name in ("event_loop_lag", "tick_to_order")}
    agent = msgspec.structs.replace(whole, timings=own)
    loops = {"gateway": whole} | {f"process {n}": agent for n in range(PROCESSES)}
    markets = tuple(MarketSeen(NOW_MS, view, pnl(), hour()) for view in views)
    return said, msgspec.structs.replace(one, markets=markets, loops=loops)


def test_scrape(figures: Figures) -> None:
    said, seen = forty()
    lines = text(seen).decode().splitlines()

    def scrape() -> None:
        msgspec.json.decode(said, type=GatewayStatus)
        text(seen)

    bare_s = per_call_s(lambda: "\n".join([f"{line} {1.0!r}" for line in lines]), calls=5)
    scrape_s = per_call_s(scrape, calls=3)
    figures.add(
        f"scrape of {MARKETS} markets, {len(lines):,} lines",
        value_s=scrape_s,
        yardstick="as many lines joined",
        yardstick_s=bare_s,
        ratio_max=LIMIT_S / bare_s,
    )
    figures.add(
        "a scrape each 5 s, of a second of a core",
        value_s=scrape_s * SCRAPES_PER_S,
        yardstick="2 % of a core",
        yardstick_s=CORE_SHARE_MAX,
        ratio_max=1.0,
    )
