"""Can these markets be made at all? What a plan says before any money is at risk.

    edge        = half-spread - fee                       what a fill earns if the mid stays
    fills a day = 2 * A * exp(-kappa*half-spread) * day   both sides, first level
    requests    = fills + 2 * levels * day / T            orders placed anew, one request each
    T           = max((tolerance*half-spread / sigma)^2, order_age_min)   until the fair price has
                  left the tolerance (the mean exit time of a Brownian motion)
    net burn    = requests - USD traded                   the venue gives one request per USD

sigma, kappa and A are those of the running agent where one quotes, else the manifest's priors.
What is not known is None and stands in ``unknown``: nothing is made up. Pure.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.instrument import Instrument
from agents.market.types import Side
from agents.settings import MarketSettings, StrategySettings
from agents.strategy.glft import glft
from fleet.manifests.capacity import Capacity, capacity
from fleet.manifests.spec import FleetSpec

DAY_S: Final = 86_400.0
WALLET_WARN_DAYS: Final = 14.0
WALLET_STOP_DAYS: Final = 1.0
MODEL_SHARE: Final = 0.5
"""Of ``quoted_max_bps``: the furthest that beliefs alone take the first level."""


class Beliefs(msgspec.Struct, frozen=True):
    """What an agent that runs has learnt of its market; None: not yet."""

    sigma_bps: float | None = None
    kappa_per_bps: float | None = None
    fills_per_s: float | None = None
    half_spread_bps: float | None = None


class MarketFacts(msgspec.Struct, frozen=True):
    """One market as the network shows it now.

    ``market_half_spread_bps``: how far from the mid the venue's impact notional trades at once.
    """

    instrument: Instrument
    mark_px: float | None = None
    market_half_spread_bps: float | None = None
    oi_headroom_usd: float | None = None
    beliefs: Beliefs = Beliefs()


class DexFacts(msgspec.Struct, frozen=True):
    """The account on one DEX, in its own token; ``spot_free``: of that token in the spot wallet."""

    token: str
    account_value: float | None = None
    spot_free: float | None = None
    token_mark_usd: float | None = None


class WalletFacts(msgspec.Struct, frozen=True):
    """The API wallet as the venue has it. ``why``: for people; ``days`` None: it has no end, or
    none that is told.
    """

    address: str
    valid: bool
    why: str
    days: float | None = None


class Facts(msgspec.Struct, frozen=True):
    """All that could be learnt. ``source``: of whom, for people; fees: this account's tier, on the
    main DEX; ``dexes_listed``: how many DEXs the venue has.
    """

    source: str
    markets: Mapping[str, MarketFacts] = {}
    dexes: Mapping[str, DexFacts] = {}
    requests_left: int | None = None
    account_mode: str | None = None
    maker_fee_bps: float | None = None
    taker_fee_bps: float | None = None
    dexes_listed: int | None = None
    wallet: WalletFacts | None = None


class MarketVerdict(msgspec.Struct, frozen=True):
    """One market. bps of the fair price; ``fills_day`` and ``requests_day`` of the model above."""

    market: str
    token: str | None
    fee_bps: float | None
    half_spread_bps: float
    edge_bps: float | None
    market_half_spread_bps: float | None
    fills_day: float
    requests_day: float | None
    clip_usd: float | None
    clip_min_usd: float | None
    capital_usd: float
    oi_headroom_usd: float | None
    learnt: bool
    warnings: tuple[str, ...]
    unknown: tuple[str, ...]


class DexVerdict(msgspec.Struct, frozen=True):
    """One DEX: the margin its markets need, and what is there, in its own token."""

    dex: str
    token: str | None
    needed: float
    there: float | None
    missing: float | None
    warnings: tuple[str, ...]


class Viability(msgspec.Struct, frozen=True):
    """``hours_to_empty`` None: not known, or never (``requests_day`` says which)."""

    source: str
    markets: tuple[MarketVerdict, ...]
    dexes: tuple[DexVerdict, ...]
    requests_day: float | None
    requests_earned_day: float | None
    requests_left: int | None
    hours_to_empty: float | None
    warnings: tuple[str, ...]
    maker_fee_bps: float | None
    taker_fee_bps: float | None
    capacity: Capacity
    wallet: WalletFacts | None = None


def viability(spec: FleetSpec, facts: Facts) -> Viability:
    """What is to be said of a manifest, given what is known."""
    markets = tuple(_market(s, facts.markets.get(name)) for name, s in spec.markets.items())
    requests = [verdict.requests_day for verdict in markets]
    clips = [verdict.clip_usd for verdict in markets]
    known = [r for r in requests if r is not None]
    requests_day = sum(known) if len(known) == len(requests) else None
    earned = None
    if all(clip is not None for clip in clips):
        earned = sum(v.fills_day * (v.clip_usd or 0.0) for v in markets)
    hours = None
    if None not in {facts.requests_left, requests_day, earned}:
        burn_h = ((requests_day or 0.0) - (earned or 0.0)) / 24
        hours = (facts.requests_left or 0) / burn_h if burn_h > 0 else None
    takes = capacity(spec, facts.dexes_listed)
    warnings = []
    if facts.account_mode in {"unifiedAccount", "portfolioMargin", "dexAbstraction"}:
        warnings.append(
            f"the account is in the mode {facts.account_mode}, whose margin is not per DEX;"
            " switch it to disabled before it trades"
        )
    return Viability(
        source=facts.source,
        markets=markets,
        dexes=_dexes(spec, facts),
        requests_day=requests_day,
        requests_earned_day=earned,
        requests_left=facts.requests_left,
        hours_to_empty=hours,
        warnings=(*warnings, *_of_wallet(facts.wallet), *takes.warnings),
        maker_fee_bps=facts.maker_fee_bps,
        taker_fee_bps=facts.taker_fee_bps,
        capacity=takes,
        wallet=facts.wallet,
    )


def _of_wallet(wallet: WalletFacts | None) -> tuple[str, ...]:
    """As the gateway judges it while it runs (``fleet.gateway.core.cautions``)."""
    if wallet is None or wallet.days is None or wallet.days > WALLET_WARN_DAYS:
        return ()
    mend = "approve a new one on the venue's API page, then fleet keys MANIFEST --rotate"
    if wallet.days <= WALLET_STOP_DAYS:
        hours = max(0.0, wallet.days * 24)
        return (f"the API wallet is valid for {hours:.0f} h more: the fleet only reduces; {mend}",)
    return (f"the API wallet is valid for {wallet.days:.0f} days more; {mend}",)


def _market(settings: MarketSettings, facts: MarketFacts | None) -> MarketVerdict:
    strategy = settings.strategy
    beliefs = facts.beliefs if facts else Beliefs()
    kappa = beliefs.kappa_per_bps or strategy.kappa_prior_per_bps
    rate = beliefs.fills_per_s or strategy.fills_per_s_prior
    half_bps = beliefs.half_spread_bps or _half_spread_bps(strategy, kappa, rate, beliefs.sigma_bps)
    fills_day = 2 * rate * math.exp(-kappa * half_bps) * DAY_S
    fee_bps = facts.instrument.maker_fee_bps if facts else None
    clip_usd, clip_min_usd = _clip_usd(settings, facts)
    unknown = [
        what
        for what, value in (
            ("fee", fee_bps),
            ("volatility", beliefs.sigma_bps),
            ("price", facts.mark_px if facts else None),
            ("the market's spread", facts.market_half_spread_bps if facts else None),
            ("open interest", facts.oi_headroom_usd if facts else None),
        )
        if value is None
    ]
    return MarketVerdict(
        market=settings.market,
        token=facts.instrument.token if facts else None,
        fee_bps=fee_bps,
        half_spread_bps=half_bps,
        edge_bps=None if fee_bps is None else half_bps - fee_bps,
        market_half_spread_bps=facts.market_half_spread_bps if facts else None,
        fills_day=fills_day,
        requests_day=_requests_day(strategy, half_bps, fills_day, beliefs.sigma_bps),
        clip_usd=clip_usd,
        clip_min_usd=clip_min_usd,
        capital_usd=settings.margin_usd,
        oi_headroom_usd=facts.oi_headroom_usd if facts else None,
        learnt=beliefs.kappa_per_bps is not None,
        warnings=tuple(_warned(settings, facts, half_bps, fills_day, clip_min_usd)),
        unknown=tuple(unknown),
    )


def _half_spread_bps(
    strategy: StrategySettings, kappa: float, rate: float, sigma_bps: float | None
) -> float:
    """The model's at no inventory, inside the manifest's bounds."""
    rho = strategy.risk_aversion
    if rho <= 0:
        believed = 1 / kappa
    else:
        spread = glft(
            sigma_bps=sigma_bps or 0.0, kappa_per_bps=kappa, fills_per_s=rate, risk_aversion=rho
        )
        believed = (spread.bid_bps + spread.ask_bps) / 2
    if strategy.quoted_max_bps > 0:
        believed = min(believed, MODEL_SHARE * strategy.quoted_max_bps)
    return min(max(believed, strategy.half_spread_floor_bps), strategy.half_spread_max_bps)


def _requests_day(
    strategy: StrategySettings, half_bps: float, fills_day: float, sigma_bps: float | None
) -> float | None:
    if not sigma_bps:
        return None
    exit_s = (strategy.requote_tolerance_share * half_bps / sigma_bps) ** 2
    between_s = max(exit_s, strategy.order_age_min_s, strategy.latency_s)
    return fills_day + 2 * strategy.levels * DAY_S / between_s


def _clip_usd(
    settings: MarketSettings, facts: MarketFacts | None
) -> tuple[float | None, float | None]:
    """(the notional of one order, the venue's least one); the first is never below the second."""
    strategy = settings.strategy
    share = strategy.side_budget_share / strategy.levels
    wanted = strategy.clip_usd or settings.risk.position_max_usd * share
    if facts is None or facts.mark_px is None:
        return wanted, None
    px = facts.instrument.passive_px(facts.mark_px, Side.ASK)
    least = float(facts.instrument.viable_sz(px) * Decimal(px))
    return max(wanted, least), least


def _warned(
    settings: MarketSettings,
    facts: MarketFacts | None,
    half_bps: float,
    fills_day: float,
    clip_min_usd: float | None,
) -> list[str]:
    strategy, limit_usd = settings.strategy, settings.risk.position_max_usd
    told = []
    if facts is not None:
        cost_bps = facts.instrument.maker_fee_bps + strategy.edge_min_bps
        if half_bps < cost_bps:
            told.append(
                f"every fill loses: half-spread {half_bps:.2f} bps is below fee + edge,"
                f" {cost_bps:.2f}; give half_spread_floor_bps at least {cost_bps:.2f}"
            )
        others = facts.market_half_spread_bps
        if others is not None and others < cost_bps:
            told.append(
                f"takers find the venue's impact size {others:.2f} bps from the mid, nearer than"
                f" fee + edge, {cost_bps:.2f}: fills come only from trades that sweep past that"
            )
        headroom = facts.oi_headroom_usd
        if headroom is not None and headroom < limit_usd:
            told.append(
                f"the open interest leaves {headroom:,.0f} USD below its cap, less than"
                f" position_max_usd, {limit_usd:,.0f}"
            )
    if clip_min_usd is not None and clip_min_usd * 2 > limit_usd * strategy.side_budget_share:
        told.append(
            f"one side may add {limit_usd * strategy.side_budget_share:,.0f} USD, fewer than two of"
            f" the venue's least orders of {clip_min_usd:,.2f}; raise margin_usd or leverage"
        )
    if fills_day < 1:
        told.append(
            f"{fills_day:.2g} fills a day are expected {half_bps:g} bps from the fair price:"
            " it will rarely trade"
        )
    return told


def _dexes(spec: FleetSpec, facts: Facts) -> tuple[DexVerdict, ...]:
    needs: dict[str, float] = {}
    for name, settings in spec.markets.items():
        dex = name.rpartition(":")[0]
        needs[dex] = needs.get(dex, 0.0) + settings.margin_usd
    return tuple(_dex(dex, usd, facts.dexes.get(dex)) for dex, usd in needs.items())


def _dex(dex: str, needed_usd: float, facts: DexFacts | None) -> DexVerdict:
    token = facts.token if facts else None
    mark = (facts.token_mark_usd if facts else None) or 1.0
    needed = needed_usd / mark
    there = facts.account_value if facts else None
    missing = None if there is None else max(0.0, needed - there)
    told = []
    if missing and facts is not None:
        where = f"DEX {dex}" if dex else "the main DEX"
        spot = facts.spot_free or 0.0
        move = min(missing, spot)
        steps = [f"move {move:,.2f} {token} there from spot"] if move > 0 else []
        if missing > spot:
            verb = "deposit" if token == "USDC" else "buy"
            steps.append(f"{verb} {missing - spot:,.2f} {token}")
        told.append(f"{where} lacks {missing:,.2f} {token} of margin: {' and '.join(steps)}")
    return DexVerdict(dex, token, needed, there, missing, tuple(told))
