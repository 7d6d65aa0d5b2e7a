"""From the manifest's words to the agents' values: defaults merged, names resolved, limits derived.

value of a leaf   = the market's, else defaults', else the schema's
position_max_usd  = the lesser of the given one and margin x leverage
daily_loss_max    = 5 % of the margin, where not given
margin_usd        = 1000 USD of an isolated market, where not given
a fleet's limit   = the sum over its markets, where not given
"""

from typing import Any, Final

import msgspec

from agents.market.types import Coin
from agents.settings import (
    DrainSettings,
    MarketSettings,
    OrphanSettings,
    ProtectSettings,
    RiskSettings,
    StrategySettings,
)
from fleet.manifests.errors import ManifestError, Path, Problem
from fleet.manifests.schema import Manifest, Market
from fleet.manifests.section import Section
from fleet.manifests.source import Source
from fleet.manifests.spec import (
    Account,
    AlertsSpec,
    DexSpec,
    FleetRisk,
    FleetSpec,
    KeySource,
    MetricsSpec,
    PaperSpec,
    RequestsSpec,
    RolloutSpec,
    ScheduleSpec,
)
from fleet.manifests.sums import underlying_sums

DAILY_LOSS_SHARE: Final = 0.05
ISOLATED_MARGIN_USD: Final = 1_000.0


class Written(msgspec.Struct, frozen=True):
    """One market of the manifest: its place in the list, and what it compiled to."""

    index: int
    dex: str
    settings: MarketSettings


class Draft(msgspec.Struct, frozen=True):
    """A manifest on its way to a spec: what the checks of sense look at."""

    source: Source
    manifest: Manifest
    written: tuple[Written, ...]
    spec: FleetSpec

    def path(self, market: Written, *leaf: str) -> Path:
        """Where a market's leaf is written: under the market, under defaults, or nowhere."""
        own: Path = ("markets", market.index, *leaf)
        shared: Path = ("defaults", *leaf)
        return shared if own not in self.source.lines and shared in self.source.lines else own


def compiled(source: Source, manifest: Manifest) -> Draft:
    """The draft, before the checks of sense; raises ``ManifestError`` where no name can be made."""
    problems: list[Problem] = []
    written = []
    first: dict[str, int] = {}
    for index, market in enumerate(manifest.markets):
        problem = _name_problem(source, index, market, first)
        if problem is not None:
            problems.append(problem)
            continue
        first[_name(market)] = index
        margin_usd = _leaf(manifest, market, "margin_usd")
        if margin_usd is None and _leaf(manifest, market, "isolated"):
            margin_usd = ISOLATED_MARGIN_USD
        if margin_usd is None:
            text, mend = "is missing, here and in defaults", "add e.g. margin_usd: 5000"
            problems.append(source.problem(("markets", index, "margin_usd"), text, mend))
            continue
        settings = _settings(manifest, market, margin_usd)
        written.append(Written(index=index, dex=market.dex, settings=settings))
    if problems:
        raise ManifestError(problems)
    spec = _spec(manifest, [entry.settings for entry in written])
    return Draft(source=source, manifest=manifest, written=tuple(written), spec=spec)


def _name(market: Market) -> str:
    """``BTC`` or ``hyna:BTC``: the market's id everywhere."""
    ticker = market.asset.rpartition(":")[2]
    return f"{market.dex}:{ticker}" if market.dex else ticker


def _name_problem(
    source: Source, index: int, market: Market, first: dict[str, int]
) -> Problem | None:
    path: Path = ("markets", index, "asset")
    prefix, colon, ticker = market.asset.partition(":")
    if colon and prefix != market.dex:
        if not market.dex:
            text = f"{market.asset!r} names a DEX that the market doesn't"
            return source.problem(path, text, f"add dex: {prefix}")
        text = f"{market.asset!r} has another prefix than dex: {market.dex}"
        return source.problem(path, text, f"write {ticker} or {market.dex}:{ticker}")
    name = _name(market)
    if name in first:
        line = source.line(("markets", first[name], "asset"))
        text = f"duplicate market {name}, first given on line {line}"
        return source.problem(path, text, "keep one of the two")
    return None


def _leaf(manifest: Manifest, market: Market, name: str) -> Any:  # noqa: ANN401  # any leaf
    given = market if name in market.model_fields_set else manifest.defaults
    return getattr(given, name)


def _section(manifest: Manifest, market: Market, name: str) -> dict[str, Any]:
    """A section's written leaves, the market's over the defaults'."""
    return _written(getattr(manifest.defaults, name), getattr(market, name))


def _written(*sections: Section) -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for section in sections:
        for leaf in section.model_fields_set:
            value = getattr(section, leaf)
            if isinstance(value, Section):
                value = {**leaves.get(leaf, {}), **_written(value)}
            leaves[leaf] = value
    return leaves


def _settings(manifest: Manifest, market: Market, margin_usd: float) -> MarketSettings:
    leverage: int = _leaf(manifest, market, "leverage")
    risk = _section(manifest, market, "risk")
    given_usd = risk.pop("position_max_usd", None)
    reach_usd = margin_usd * leverage
    loss_usd = risk.pop("daily_loss_max_usd", None)
    return MarketSettings(
        market=Coin(_name(market)),
        margin_usd=float(margin_usd),
        leverage=leverage,
        risk=msgspec.convert(
            {
                "position_max_usd": reach_usd if given_usd is None else min(given_usd, reach_usd),
                "daily_loss_max_usd": DAILY_LOSS_SHARE * margin_usd
                if loss_usd is None
                else loss_usd,
                **risk,
            },
            RiskSettings,
        ),
        strategy=msgspec.convert(_section(manifest, market, "strategy"), StrategySettings),
        drain=DrainSettings(**_section(manifest, market, "drain")),
        on_orphan=OrphanSettings(**_section(manifest, market, "on_orphan")),
        protect=ProtectSettings(**_section(manifest, market, "protect")),
        isolated=_leaf(manifest, market, "isolated"),
        underlying=market.underlying or market.asset.rpartition(":")[2],
        nets=_leaf(manifest, market, "nets"),
    )


def _spec(manifest: Manifest, markets: list[MarketSettings]) -> FleetSpec:
    account = manifest.account
    live = manifest.network != "paper" and account.address and account.api_wallet
    paper = manifest.paper.model_dump() if manifest.paper else {}
    return FleetSpec(
        fleet=manifest.fleet,
        network=manifest.network,
        risk=_fleet_risk(manifest, markets),
        markets={settings.market: settings for settings in markets},
        account=Account(
            address=str(account.address).lower(),
            api_wallet=msgspec.convert(account.api_wallet, KeySource, from_attributes=True),
            halt_wallet=msgspec.convert(
                account.halt_wallet, KeySource | None, from_attributes=True
            ),
        )
        if live
        else None,
        paper=msgspec.convert(paper, PaperSpec) if manifest.network == "paper" else None,
        requests=msgspec.convert(manifest.requests.model_dump(), RequestsSpec),
        dexes={
            name: msgspec.convert(dex.model_dump(), DexSpec) for name, dex in manifest.dexes.items()
        },
        rollout=msgspec.convert(manifest.rollout.model_dump(), RolloutSpec),
        schedules=_schedules(manifest),
        alerts=msgspec.convert(manifest.alerts.model_dump(), AlertsSpec),
        metrics=msgspec.convert(manifest.metrics.model_dump(), MetricsSpec),
    )


def _schedules(manifest: Manifest) -> dict[str, ScheduleSpec]:
    given = {_name(m): _leaf(manifest, m, "schedule") for m in manifest.markets}
    return {
        name: msgspec.convert(hours.model_dump(mode="json"), ScheduleSpec)
        for name, hours in given.items()
        if hours is not None
    }


def _fleet_risk(manifest: Manifest, markets: list[MarketSettings]) -> FleetRisk:
    given = manifest.risk
    gross_usd = sum(settings.risk.position_max_usd for settings in markets)
    loss_usd = sum(settings.risk.daily_loss_max_usd for settings in markets)
    underlyings = underlying_sums(markets)
    widest_usd = max(underlyings.values())
    return FleetRisk(
        gross_notional_max_usd=float(given.gross_notional_max_usd or gross_usd),
        net_notional_max_usd=float(given.net_notional_max_usd or gross_usd),
        underlying_gross_max_usd=float(given.underlying_gross_max_usd or widest_usd),
        daily_loss_max_usd=float(given.daily_loss_max_usd or loss_usd),
        drawdown_max_share=given.drawdown_max_share,
        correlated_risk_max_usd=given.correlated_risk_max_usd,
        on_breach=given.on_breach,
        cross_market=given.cross_market,
        on_losing=given.on_losing,
    )
