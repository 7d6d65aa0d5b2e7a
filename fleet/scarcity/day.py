"""A fleet's day on one account: every market's quotes under one allowance of requests."""

import msgspec

from fleet.gateway.core.request_price import PRICE_MAX_USD
from fleet.scarcity.account import Policy, Venue
from fleet.scarcity.flow import DAY_S, KINDS, Path, draw
from fleet.scarcity.quotes import Market


class Result(msgspec.Struct, frozen=True):
    """``pnl_usd`` after fees and what was paid for requests, without inventory's chance;
    ``hours_to_empty`` None: never.
    """

    uptime_share: float
    pnl_usd: float
    bought_usd: float
    fills: int
    volume_usd: float
    requests: int
    left: int
    hours_to_empty: float | None
    placements_refused: int
    cancels_refused: int

    @property
    def requests_per_usd(self) -> float | None:
        return self.requests / self.volume_usd if self.volume_usd else None


def paths(markets: int, seed: int, seconds: int = DAY_S) -> list[Path]:
    """The same for every policy."""
    return [
        draw(KINDS[at % len(KINDS)], f"{seed}:{at}", seconds) for at in range(markets)
    ]  # fmt: skip


def day(found: list[Path], policy: Policy, clip_usd: float) -> Result:
    """From the account's first request on."""
    markets = [
        Market(KINDS[at % len(KINDS)], path, clip_usd) for at, path in enumerate(found)
    ]  # fmt: skip
    venue = Venue()

    def filled() -> None:
        venue.volume_usd += clip_usd

    seconds = len(found[0].fair_bps)
    open_orders = 0
    for now_s in range(seconds):
        if now_s % 10 == 0:
            open_orders = sum(market.open_orders for market in markets)
            before = policy.terms
            policy.second(venue, open_orders, len(markets), now_s)
            if policy.terms != before:
                for market in markets:
                    market.dirty = True
        for market in markets:
            if market.second(now_s, filled):
                _decide(market, policy, venue, open_orders, now_s)
    return Result(
        uptime_share=sum(market.up_s for market in markets) / (seconds * len(markets)),
        pnl_usd=sum(m.pnl_usd() for m in markets) - venue.bought * PRICE_MAX_USD,
        bought_usd=venue.bought * PRICE_MAX_USD,
        fills=sum(market.fills for market in markets),
        volume_usd=venue.volume_usd,
        requests=venue.used,
        left=venue.left,
        hours_to_empty=None if venue.empty_s is None else venue.empty_s / 3_600,
        placements_refused=venue.refused,
        cancels_refused=venue.cancels_refused,
    )


def _decide(market: Market, policy: Policy, venue: Venue, open_orders: int, now_s: int) -> None:
    """Cancels first; a placement goes only if fleet and venue let it."""
    wish = market.wish(now_s, policy.terms)
    missing = False
    if wish.cancels:
        policy.sent(len(wish.cancels), now_s)
        if venue.cancel(len(wish.cancels), now_s):
            market.cancelled(wish.cancels)
        else:
            missing = True
    if wish.places and not missing:
        count = len(wish.places)
        may = policy.admits(count, open_orders, now_s, adding=wish.adding)
        if may:
            policy.sent(count, now_s)
        if may and venue.place(count, now_s):
            market.placed(wish.places, now_s)
        else:
            missing = True
    paced = policy.terms is not None and policy.terms.pace_s > 0.0
    market.settle(missing=missing or (paced and market.open_orders < 2))
