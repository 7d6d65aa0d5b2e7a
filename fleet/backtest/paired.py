"""Paired paths with cross-market quoting off and on: the same crowd, two fleets, one table.

Each path is the same flow twice, seeds equal; what differs is what the fleet quotes. Standard
deviations and means are over paths; their confidence intervals by resampling pairs.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.engine import Engine
from agents.exchange.downstream import DirectiveFrame, LeaseFrame, LimitsFrame, OpenState
from agents.market.types import Coin
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.settings import MarketSettings, RiskSettings, StrategySettings
from agents.sim.exchange import Exchange
from agents.sim.flow_price import Chance
from agents.sim.universe import Universe, default_universe
from fleet.backtest.fleet_desk import BLOCK_S, FleetDesk
from fleet.backtest.shared_flow import Crowd, SharedFlow
from fleet.manifests.spec import FleetRisk

START_NS: Final = 1_750_000_000 * NS_PER_S
MARKETS: Final = ("BTC", "ETH", "SOL", "XRP", "DOGE")
ADDRESS: Final = "0x" + "fa" * 20
WATCHED_S: Final = 600
"""For so long the risk actor has watched the prices when the fleet starts."""
WARM_S: Final = 60
"""So long the fleet quotes before the clock of a path starts."""
LIMIT_CLIPS: Final = 20.0
RISK_AVERSION: Final = 0.15
RENEW_MS: Final = 5_000
FUND_USD: Final = Decimal(10_000_000)
RESAMPLED: Final = 2_000
TAIL: Final = 0.025

Cross = Literal["on", "off", "shadow"]


class Path(msgspec.Struct, frozen=True):
    """One path of one fleet, USD. ``earned_usd``: at the fair price of each fill, less fees; prices
    are a martingale, so its mean is the P&L's, with less noise. ``risk_usd``: root mean square of
    the portfolio's risk of a second at the true volatilities; ``drawdown_usd``: the deepest.
    ``caps``: how often a decision wanted more cross skew than may be.
    """

    seed: int
    pnl_usd: float
    earned_usd: float
    drawdown_usd: float
    risk_usd: float
    fills: int
    requests: int
    caps: int


class Interval(msgspec.Struct, frozen=True):
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


class Compared(msgspec.Struct, frozen=True):
    """What is changed is on over off less 1: deviation and mean of the P&L, the mean at the fair
    prices of the fills, the risk held (root mean square), the mean of the deepest drawdowns.
    """

    paths: int
    off_mean_usd: float
    on_mean_usd: float
    off_sd_usd: float
    on_sd_usd: float
    sd_change: Interval
    mean_change: Interval
    earned_change: Interval
    risk_change: Interval
    drawdown_change: Interval


def walk(
    seed: int, crowd: Crowd, cross: Cross, chance: Chance, *, seconds: int, warm_s: int = WARM_S
) -> Path:
    """One path: ``seconds`` after the warm-up."""
    exchange = Exchange(_universe())
    exchange.fund(ADDRESS, FUND_USD)
    coins = [Coin(market) for market in MARKETS]
    flow = SharedFlow(exchange, coins, crowd, chance)
    began_ns = START_NS + WATCHED_S * NS_PER_S
    engines = {coin: Engine(_lease(exchange, coin, crowd), began_ns) for coin in coins}
    unbounded = 1e12
    risk = FleetRisk(
        unbounded, unbounded, unbounded, unbounded, drawdown_max_share=0.99, cross_market=cross
    )
    desk = FleetDesk(engines, exchange, flow, risk, address=ADDRESS, start_ns=START_NS)
    desk.watch(WATCHED_S)
    for _ in range(warm_s // BLOCK_S):
        desk.block()
    began_usd = peak_usd = desk.equity_usd
    began_fills, began_requests = desk.fills, desk.requests
    began_earned_usd = desk.earned_usd
    drawdown_usd = squares = 0.0
    for _ in range(seconds // BLOCK_S):
        desk.block()
        equity_usd = desk.equity_usd
        peak_usd = max(peak_usd, equity_usd)
        drawdown_usd = max(drawdown_usd, peak_usd - equity_usd)
        squares += _variance(list(desk.holdings.values()), crowd)
    return Path(
        seed=seed,
        pnl_usd=desk.equity_usd - began_usd,
        earned_usd=desk.earned_usd - began_earned_usd,
        drawdown_usd=drawdown_usd,
        risk_usd=math.sqrt(squares * BLOCK_S / seconds),
        fills=desk.fills - began_fills,
        requests=desk.requests - began_requests,
        caps=sum(engine.state.cross_caps for engine in engines.values()),
    )


def _variance(held_usd: Sequence[float], crowd: Crowd) -> float:
    """x'Sigma*x at the truth: of what is common, and of what is each market's own."""
    total, squares = sum(held_usd), sum(usd * usd for usd in held_usd)
    sigma = crowd.sigma_bps / 10_000
    return sigma * sigma * (crowd.rho * total * total + (1 - crowd.rho) * squares)


def pairs(
    seeds: Sequence[int],
    crowd: Crowd,
    chance: Callable[[int], Chance],
    *,
    seconds: int,
    other: Cross = "on",
) -> Iterator[tuple[Path, Path]]:
    """Off and on of each seed, with equal sources of chance."""
    for seed in seeds:
        yield (
            walk(seed, crowd, "off", chance(seed), seconds=seconds),
            walk(seed, crowd, other, chance(seed), seconds=seconds),
        )


def compare(found: Sequence[tuple[Path, Path]], chance: Chance) -> Compared:
    """Over all pairs; intervals by resampling the pairs."""
    count = len(found)
    drawn = [
        _changes([found[chance.randrange(count)] for _ in range(count)]) for _ in range(RESAMPLED)
    ]
    sd, mean, earned, risk, drawdown = (
        _interval(value, sorted(column))
        for value, column in zip(_changes(found), zip(*drawn, strict=True), strict=True)
    )
    off, on = ([pair[side].pnl_usd for pair in found] for side in (0, 1))
    return Compared(
        paths=count,
        off_mean_usd=_mean(off),
        on_mean_usd=_mean(on),
        off_sd_usd=_sd(off),
        on_sd_usd=_sd(on),
        sd_change=sd,
        mean_change=mean,
        earned_change=earned,
        risk_change=risk,
        drawdown_change=drawdown,
    )


def _changes(found: Sequence[tuple[Path, Path]]) -> tuple[float, ...]:
    off, on = (_figures([pair[side] for pair in found]) for side in (0, 1))
    return tuple(b / a - 1 if a else 0.0 for a, b in zip(off, on, strict=True))


def _figures(paths: Sequence[Path]) -> tuple[float, ...]:
    pnl = [path.pnl_usd for path in paths]
    return (
        _sd(pnl),
        _mean(pnl),
        _mean([path.earned_usd for path in paths]),
        math.sqrt(_mean([path.risk_usd**2 for path in paths])),
        _mean([path.drawdown_usd for path in paths]),
    )


def _interval(value: float, drawn: Sequence[float]) -> Interval:
    last = len(drawn) - 1
    return Interval(value, drawn[round(TAIL * last)], drawn[round((1 - TAIL) * last)])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _sd(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / max(len(values) - 1, 1))


def _universe() -> Universe:
    """These markets of the paper venue's listing, on the main DEX alone."""
    main = default_universe().dexes[0]
    return Universe(
        [msgspec.structs.replace(main, assets=tuple(a for a in main.assets if a.name in MARKETS))]
    )


def _lease(exchange: Exchange, coin: Coin, crowd: Crowd) -> LeaseFrame:
    """Default settings, but for a floor that leaves the distance to the model, and the priors."""
    start_ms, limit_usd = START_NS // NS_PER_MS, LIMIT_CLIPS * crowd.clip_usd
    return LeaseFrame(
        generation=1,
        deadline_ms=start_ms + 5_000,
        lease_ms=5_000,
        renew_ms=RENEW_MS,
        revision=1,
        settings=MarketSettings(
            market=coin,
            margin_usd=limit_usd,
            leverage=1,
            risk=RiskSettings(position_max_usd=limit_usd, daily_loss_max_usd=limit_usd),
            strategy=StrategySettings(
                clip_usd=crowd.clip_usd, levels=1, half_spread_floor_bps=2.0,
                quoted_max_bps=0.0, requote_tolerance_share=0.5,
                kappa_prior_per_bps=crowd.kappa_per_bps, fills_per_s_prior=crowd.fills_per_s,
            ),
        ),
        limits=LimitsFrame(position_max_usd=limit_usd),
        instrument=exchange.universe.instrument(coin),
        cloid_prefix=f"f1ee70000000{exchange.universe.listings[coin].index + 1:04x}0001",
        state=OpenState(as_of_ms=start_ms, position_sz=Decimal(0), entry_px=None),
        pnl_day_usd=0.0,
        directive=DirectiveFrame(seq=1, as_of_ms=start_ms, mode="normal"),
    )  # fmt: skip
