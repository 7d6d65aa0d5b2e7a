"""The checks of sense: a manifest that is well formed and still must not run."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from fleet.manifests.compile import Draft, Written
from fleet.manifests.errors import Problem
from fleet.manifests.explain import shown
from fleet.manifests.schema import AccountSection
from fleet.manifests.sums import underlying_sums

MAKER_FEE_BPS: Final = 1.5
"""The venue's lowest tier, paid by an account without volume."""
LOSS_MAX_SHARE: Final = 0.20
RESERVED_FLEETS: Final = frozenset({"locks"})


class Listed:
    """One asset as the network lists it."""

    __slots__ = ("delisted", "isolated_only", "leverage_max")

    def __init__(self, leverage_max: int, *, isolated_only: bool, delisted: bool) -> None:
        self.leverage_max = leverage_max
        self.isolated_only = isolated_only
        self.delisted = delisted


Listing = Mapping[str, Mapping[str, Listed]]
"""DEX ("" is the main one) → market → what is listed."""


def problems(draft: Draft, listing: Listing | None) -> list[Problem]:
    """Everything senseless in the draft. ``listing``: what its network offers, where known."""
    found = [*_fleet(draft), *_sums(draft), *_dexes(draft)]
    for market in draft.written:
        found += _market(draft, market)
    if listing is not None:
        found += _unlisted(draft, listing)
    return found


def _fleet(draft: Draft) -> Iterator[Problem]:
    source, manifest = draft.source, draft.manifest
    if manifest.fleet in RESERVED_FLEETS:
        yield source.problem(("fleet",), f"{manifest.fleet!r} is reserved", "choose another name")
    if manifest.network == "paper":
        return
    if manifest.paper is not None:
        text = f"there is no embedded exchange on {manifest.network}"
        yield source.problem(("paper",), text, "remove it, or write network: paper")
    if manifest.account.address is None:
        mend = 'add account: {address: "0x…"}, the account whose funds trade'
        yield source.problem(("account", "address"), f"is missing on {manifest.network}", mend)
    if manifest.account.api_wallet is None:
        mend = "add api_wallet: {env: FLEET_API_KEY} under account"
        yield source.problem(("account", "api_wallet"), f"is missing on {manifest.network}", mend)
    elif _same(manifest.account):
        text = "is the api_wallet's own source: both would sign under the same nonces"
        mend = "approve another API wallet and name its key, or leave halt_wallet out"
        yield source.problem(("account", "halt_wallet"), text, mend)


def _same(account: AccountSection) -> bool:
    """Whether both wallets' keys come from one place."""
    wallet, own = account.api_wallet, account.halt_wallet
    return wallet is not None and own is not None and wallet.model_dump() == own.model_dump()


def _sums(draft: Draft) -> Iterator[Problem]:
    source, spec = draft.source, draft.spec
    markets = list(spec.markets.values())
    underlying, widest_usd = underlying_sums(markets).most_common(1)[0]
    for cap, limit_usd, sum_usd, what in (
        (
            "gross_notional_max_usd",
            spec.risk.gross_notional_max_usd,
            sum(settings.risk.position_max_usd for settings in markets),
            "the sum of the markets' position_max_usd",
        ),
        (
            "underlying_gross_max_usd",
            spec.risk.underlying_gross_max_usd,
            widest_usd,
            f"the sum of the position_max_usd of {underlying}",
        ),
        (
            "daily_loss_max_usd",
            spec.risk.daily_loss_max_usd,
            sum(settings.risk.daily_loss_max_usd for settings in markets),
            "the sum of the markets' daily_loss_max_usd",
        ),
    ):
        if sum_usd > limit_usd * (1 + 1e-9):
            text = f"{shown(limit_usd)} is below {what}, {shown(float(sum_usd))}"
            mend = f"raise it to {shown(float(sum_usd))} or lower the markets' limits"
            yield source.problem(("risk", cap), text, mend)


def _dexes(draft: Draft) -> Iterator[Problem]:
    source = draft.source
    for dex, caps in draft.spec.dexes.items():
        margins_usd = [m.settings.margin_usd for m in draft.written if m.dex == dex]
        if not margins_usd:
            used = ", ".join(sorted({m.dex for m in draft.written if m.dex})) or "none"
            text = f"unknown DEX {dex!r}: no market here is on it"
            yield source.problem(("dexes", dex), text, f"remove it; DEXs of the markets: {used}")
        elif caps.margin_max_usd is not None and sum(margins_usd) > caps.margin_max_usd:
            sum_usd = shown(sum(margins_usd))
            text = f"{shown(caps.margin_max_usd)} is below the sum of its margins, {sum_usd}"
            mend = f"raise it to {sum_usd} or lower the markets' margin_usd"
            yield source.problem(("dexes", dex, "margin_max_usd"), text, mend)
    for index, name in enumerate(draft.spec.rollout.canary):
        if name not in draft.spec.markets:
            names = ", ".join(draft.spec.markets)
            text = f"{name!r} is no market of this manifest"
            yield source.problem(("rollout", "canary", index), text, f"name one of {names}")


def _market(draft: Draft, market: Written) -> Iterator[Problem]:
    source, settings = draft.source, market.settings
    strategy, risk = settings.strategy, settings.risk
    cap_usd = LOSS_MAX_SHARE * settings.margin_usd
    if risk.daily_loss_max_usd > cap_usd:
        text = f"{shown(risk.daily_loss_max_usd)} is above 20 % of margin_usd, {shown(cap_usd)}"
        mend = f"give at most {shown(cap_usd)}, or raise margin_usd"
        yield source.problem(draft.path(market, "risk", "daily_loss_max_usd"), text, mend)
    cost_bps = MAKER_FEE_BPS + strategy.edge_min_bps
    floor = draft.path(market, "strategy", "half_spread_floor_bps")
    if strategy.half_spread_floor_bps < cost_bps:
        text = (
            f"{shown(strategy.half_spread_floor_bps)} is below fee + edge"
            f" ({shown(MAKER_FEE_BPS)} + {shown(strategy.edge_min_bps)} bps)"
        )
        yield source.problem(floor, text, f"give at least {shown(cost_bps)}")
    if strategy.clip_usd is not None and strategy.clip_usd > risk.position_max_usd:
        text = (
            f"{shown(strategy.clip_usd)} is above position_max_usd, {shown(risk.position_max_usd)}"
        )
        mend = "make the clip smaller than what may be held"
        yield source.problem(draft.path(market, "strategy", "clip_usd"), text, mend)
    for section, lower, upper in (
        ("strategy", "half_spread_floor_bps", "half_spread_max_bps"),
        ("strategy", "warmup_s", "warmup_max_s"),
        ("risk", "data_age_max_s", "data_age_halt_s"),
        ("risk", "directive_age_max_s", "directive_age_cancel_s"),
        ("risk", "directive_age_cancel_s", "directive_age_halt_s"),
    ):
        values = getattr(settings, section)
        low, high = getattr(values, lower), getattr(values, upper)
        if low > high:
            text = f"{shown(high)} is below {lower}, {shown(low)}"
            mend = f"give at least {shown(low)}, or lower {lower}"
            yield source.problem(draft.path(market, section, upper), text, mend)


def _place(draft: Draft) -> str:
    return "the embedded exchange" if draft.spec.network == "paper" else draft.spec.network


def _unlisted(draft: Draft, listing: Listing) -> Iterator[Problem]:
    for market in draft.written:
        if market.dex not in listing:
            names = ", ".join(sorted(filter(None, listing)))
            close = difflib.get_close_matches(market.dex, filter(None, listing), n=1)
            mend = f"did you mean {close[0]}?" if close else f"name one of {names}"
            text = f"unknown DEX {market.dex!r} on {_place(draft)}"
            yield draft.source.problem(("markets", market.index, "dex"), text, mend)
            continue
        yield from _listed(draft, market, listing[market.dex])


def _listed(draft: Draft, market: Written, assets: Mapping[str, Listed]) -> Iterator[Problem]:
    source, settings = draft.source, market.settings
    asset = assets.get(settings.market)
    where = ("markets", market.index, "asset")
    tradable = [name for name, listed in assets.items() if not listed.delisted]
    if asset is None or asset.delisted:
        folded = {name.lower(): name for name in tradable}
        close = difflib.get_close_matches(settings.market.lower(), folded, n=1)
        what = "is delisted on" if asset else "is not listed on"
        mend = (
            f"did you mean {folded[close[0]]}?"
            if close and not asset
            else f"name one of {', '.join(tradable) or 'another DEX, it has none'}"
        )
        yield source.problem(where, f"{settings.market} {what} {_place(draft)}", mend)
        return
    if settings.leverage > asset.leverage_max:
        text = f"{settings.leverage} is above the venue's {asset.leverage_max}"
        mend = f"give at most {asset.leverage_max}"
        yield source.problem(draft.path(market, "leverage"), f"{text} for {settings.market}", mend)
    if asset.isolated_only and not settings.isolated:
        text = f"{settings.market} may be held with isolated margin only"
        yield source.problem(draft.path(market, "isolated"), text, "add isolated: true")
