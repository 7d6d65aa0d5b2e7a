"""A plan's viability as lines: a market each, then capital, requests and warnings."""

from collections.abc import Iterator

from fleet.manifests.viability import MarketVerdict, Viability

UNKNOWN = "?"


def lines(told: Viability) -> Iterator[str]:
    """For a terminal; ``?`` stands where nobody knows."""
    yield f"viability, by {told.source}:"
    yield (
        f"  {'market':<12} {'fee':>6} {'half-spread':>11} {'edge':>6} {'impact':>7}"
        f" {'fills/day':>10} {'requests/day':>12} {'clip USD':>9} {'margin':>9}"
    )
    for market in told.markets:
        yield _market(market)
    yield "  bps; fills and requests by " + (
        "what the agents learnt" if any(m.learnt for m in told.markets) else "the manifest's priors"
    )
    for dex in told.dexes:
        name = f"DEX {dex.dex}" if dex.dex else "main DEX"
        there = UNKNOWN if dex.there is None else f"{dex.there:,.2f}"
        yield f"  {name}: {dex.needed:,.2f} {dex.token or UNKNOWN} of margin needed, {there} there"
    yield _requests(told)
    takes = told.capacity
    fees = f"{_number(told.maker_fee_bps, '.2f')} / {_number(told.taker_fee_bps, '.2f')} bps"
    yield (
        f"  account: fees {fees} on the main DEX; {_number(takes.subscriptions, 'd')} of"
        f" {takes.subscriptions_max} subscriptions; at most {takes.orders} of {takes.orders_max}"
        " orders at rest"
    )
    warnings = [
        *told.warnings,
        *(warning for dex in told.dexes for warning in dex.warnings),
        *(f"{market.market}: {warning}" for market in told.markets for warning in market.warnings),
    ]
    for warning in warnings:
        yield f"  warning: {warning}"


def _market(market: MarketVerdict) -> str:
    return (
        f"  {market.market:<12} {_number(market.fee_bps, '.2f'):>6}"
        f" {market.half_spread_bps:>11.2f} {_number(market.edge_bps, '.2f'):>6}"
        f" {_number(market.market_half_spread_bps, '.2f'):>7} {market.fills_day:>10,.0f}"
        f" {_number(market.requests_day, ',.0f'):>12} {_number(market.clip_usd, ',.0f'):>9}"
        f" {market.capital_usd:>9,.0f}"
    )


def _number(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else format(value, form)


def _requests(told: Viability) -> str:
    text = f"  requests: {_number(told.requests_day, ',.0f')} a day wanted"
    text += f", {_number(told.requests_earned_day, ',.0f')} earned by trading"
    left = told.requests_left
    text += f", {UNKNOWN if left is None else f'{left:,}'} left"
    if told.hours_to_empty is not None:
        text += f": empty in {told.hours_to_empty:,.1f} h, unless the gateway slows the quotes"
    return text
