"""What a fleet goes back to: the settings of an old revision, under the lesser of both's limits.

A limit that was lowered since was lowered for a reason, and going back must not lift it. What
belongs to the account and the place (network, account, embedded exchange) stays as it is now.
"""

from typing import TypeVar

import msgspec

from agents.settings import MarketSettings
from fleet.manifests.spec import DexSpec, FleetSpec

S = TypeVar("S", bound=msgspec.Struct)


def restored(old: FleetSpec, current: FleetSpec) -> FleetSpec:
    """The spec to apply in order to go back from ``current`` to ``old``; it raises no limit."""
    assert old.fleet == current.fleet
    return msgspec.structs.replace(
        old,
        network=current.network,
        account=current.account,
        paper=current.paper,
        risk=_lesser(old.risk, current.risk),
        requests=_lesser(old.requests, current.requests),
        dexes=_dexes(old, current),
        markets={
            name: _market(settings, current.markets.get(name))
            for name, settings in old.markets.items()
        },
    )


def _dexes(old: FleetSpec, current: FleetSpec) -> dict[str, DexSpec]:
    """Caps of both: one that came since still holds where it is the lesser."""
    both = {**current.dexes, **old.dexes}
    used = {name.rpartition(":")[0] for name in old.markets}
    return {
        name: _lesser(dex, current.dexes.get(name, dex))
        for name, dex in both.items()
        if name in used
    }


def _market(old: MarketSettings, current: MarketSettings | None) -> MarketSettings:
    if current is None:
        return old
    margin_usd = min(old.margin_usd, current.margin_usd)
    leverage = min(old.leverage, current.leverage)
    risk = _lesser(old.risk, current.risk)
    position_usd = min(risk.position_max_usd, margin_usd * leverage)
    strategy = old.strategy
    if strategy.clip_usd is not None and strategy.clip_usd > position_usd:
        strategy = msgspec.structs.replace(strategy, clip_usd=position_usd)
    collar_bps = min(old.on_orphan.collar_bps, current.on_orphan.collar_bps)
    return msgspec.structs.replace(
        old,
        margin_usd=margin_usd,
        leverage=leverage,
        risk=msgspec.structs.replace(risk, position_max_usd=position_usd),
        strategy=strategy,
        on_orphan=msgspec.structs.replace(old.on_orphan, collar_bps=collar_bps),
    )


def _lesser(old: S, current: S) -> S:
    """Of each number the lesser, None being no bound; the rest as it was."""
    kept = {}
    for name in old.__struct_fields__:
        before, now = getattr(old, name), getattr(current, name)
        numbers = [n for n in (before, now) if isinstance(n, int | float)]
        kept[name] = min(numbers) if numbers else before
    return msgspec.structs.replace(old, **kept)
