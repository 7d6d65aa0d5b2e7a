"""``fleet run --asset BTC``: one market without a manifest, by the ancestor's flags.

The flags are turned into the manifest that they mean, which is shown, kept, and applied: from then
on it is a fleet like any other.

    --target-liquidity       coins quoted on each side       strategy.clip_usd = coins·mark / levels
    --max-position           coins                           risk.position_max_usd = coins·mark
    --max-bps-diff           how far a resting price may be  strategy.requote_tolerance_share
                             from the wanted one             = bps / half_spread_floor_bps
    --initial-isolated-margin  USD                           margin_usd
"""

from typing import Any, Final, Literal

import msgspec

from fleet.cli import network
from fleet.cli.console import Output, put, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.network import URLS
from fleet.folder import home
from fleet.manifests.schema_strategy import Strategy

TOLERANCE_MAX: Final = 1.0
CLIP_MIN_USD: Final = 10.0
LEVERAGE: Final = 3


class Flags(msgspec.Struct, frozen=True):
    """As typed; None: not given. Sizes in coins, money in USD."""

    asset: str
    dex: str
    net: Literal["paper", "testnet", "mainnet"]
    margin_usd: float
    isolated: bool
    leverage: int | None = None
    target_liquidity: float | None = None
    max_position: float | None = None
    max_bps_diff: float | None = None
    risk_aversion: float | None = None
    address: str | None = None
    key_env: str = "FLEET_API_KEY"


def named(asset: str | None) -> str:
    """The asset; exit 3 where none was given."""
    if not asset:
        raise Failure(ExitCode.INVALID, "--asset is missing", "name one: fleet run --asset BTC")
    return asset


def run(flags: Flags, *, yes: bool, wait_s: float, dry: bool, output: Output) -> None:
    ticker = flags.asset.rpartition(":")[2]
    market = f"{flags.dex}:{ticker}" if flags.dex else ticker
    listed = _listed(flags, market)
    text = manifest(flags, listed)
    put_text = put if output == "table" else say
    for line in text.splitlines():
        put_text(line)
    if dry:
        return
    path = home() / f"{fleet_name(flags)}.yaml"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    say(f"kept as {path}; from now on: fleet apply {path}")
    from fleet.cli import apply

    wishes = apply.Wishes(yes=yes, wait_s=wait_s, only=None, allow=(), fleet=None)
    apply.run(path, wishes, output)


def fleet_name(flags: Flags) -> str:
    """``btc``, ``hyna-btc``, ``testnet-btc``: a fleet of its own a market and network."""
    ticker = flags.asset.rpartition(":")[2]
    parts = ["" if flags.net == "paper" else flags.net, flags.dex, ticker]
    name = "-".join(part for part in parts if part).lower()
    return "".join(c if c.isalnum() else "-" for c in name)[:32]


class Listed(msgspec.Struct, frozen=True):
    """What the venue says of the asset. ``mark_px`` None: it does not trade now."""

    leverage_max: int
    isolated_only: bool
    mark_px: float | None


def _listed(flags: Flags, market: str) -> Listed:
    """Of the network itself, or of the embedded exchange before it runs."""
    if flags.net == "paper":
        from agents.sim.universe import default_universe

        row = default_universe().listings.get(market)  # type: ignore[call-overload]  # a coin's name
        if row is not None and not row.spec.delisted:
            spec = row.spec
            isolated = spec.margin_mode != "normal"
            return Listed(spec.leverage_max, isolated, float(spec.start_px))
    else:
        offer = network.asked(URLS[flags.net], {flags.dex})
        found = offer.registry.instrument(market)
        now = offer.now.get(market)
        if found is not None and not found.delisted:
            return Listed(found.leverage_max, found.isolated_only, now.mark_px if now else None)
    mend = f"see: fleet markets --url {flags.net}"
    raise Failure(ExitCode.INVALID, f"--asset {flags.asset}: {flags.net} lists no {market}", mend)


def manifest(flags: Flags, listed: Listed) -> str:
    """The manifest that the flags mean, as YAML. Exit 3 for what they cannot mean."""
    leverage = flags.leverage if flags.leverage is not None else min(LEVERAGE, listed.leverage_max)
    isolated = flags.isolated or listed.isolated_only
    ticker = flags.asset.rpartition(":")[2]
    market: dict[str, Any] = {"asset": ticker}
    if flags.dex:
        market["dex"] = flags.dex
    market |= {"margin_usd": flags.margin_usd, "leverage": leverage, "isolated": isolated}
    if flags.max_position is not None:
        worth_usd = _worth_usd("--max-position", flags.max_position, listed)
        reach_usd = flags.margin_usd * leverage
        if worth_usd > reach_usd:
            text = f"--max-position {flags.max_position:g} is {worth_usd:,.0f} USD"
            mend = f"margin times leverage reaches {reach_usd:,.0f}: raise one, or ask for less"
            raise Failure(ExitCode.INVALID, text, mend)
        market["risk"] = {"position_max_usd": round(worth_usd, 2)}
    strategy = _strategy(flags, listed)
    if strategy:
        market["strategy"] = strategy
    whole: dict[str, Any] = {"fleet": fleet_name(flags), "network": flags.net}
    if flags.net != "paper":
        if flags.address is None:
            mend = "add --address 0x…, and export the API wallet's key"
            raise Failure(ExitCode.INVALID, f"--network {flags.net} needs an account", mend)
        wallet = {"env": flags.key_env}
        whole["account"] = {"address": flags.address, "api_wallet": wallet}
    whole["markets"] = [market]
    import yaml

    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


def _strategy(flags: Flags, listed: Listed) -> dict[str, Any]:
    strategy: dict[str, Any] = {}
    if flags.risk_aversion is not None:
        strategy["risk_aversion"] = flags.risk_aversion
    if flags.target_liquidity is not None:
        levels = int(_default("levels"))
        worth_usd = _worth_usd("--target-liquidity", flags.target_liquidity, listed)
        clip_usd = worth_usd / levels
        if clip_usd < CLIP_MIN_USD:
            text = f"--target-liquidity {flags.target_liquidity:g}: {levels} x {clip_usd:.2f} USD"
            raise Failure(ExitCode.INVALID, text, f"the venue takes none below {CLIP_MIN_USD:g}")
        strategy |= {"levels": levels, "clip_usd": round(clip_usd, 2)}
    if flags.max_bps_diff is not None:
        share = min(TOLERANCE_MAX, flags.max_bps_diff / _default("half_spread_floor_bps"))
        strategy["requote_tolerance_share"] = round(share, 4)
    return strategy


def _default(leaf: str) -> float:
    return float(Strategy.model_fields[leaf].default)


def _worth_usd(flag: str, coins: float, listed: Listed) -> float:
    if listed.mark_px is None:
        raise Failure(ExitCode.INVALID, f"{flag}: the market has no price now", "leave it out")
    return coins * listed.mark_px
