"""The difference between a manifest and what is desired, a line a market, each with its class."""

from collections.abc import Mapping

import msgspec

from fleet.manifests.applies import CLASSES, of_fleet
from fleet.manifests.spec import FleetSpec, digest
from fleet.manifests.sums import underlying_sums
from fleet.supervisor.changes import Change, changes
from fleet.supervisor.phases import Phase
from fleet.supervisor.store import MarketRow

FLEET = "*"
"""Stands for the fleet itself where a step is of no single market."""


class PlanStep(msgspec.Struct, frozen=True):
    """One line. ``class``: start hot requote restart replace drain remove."""

    market: str
    kind: str = msgspec.field(name="class")
    text: str = ""
    raises_risk: bool = False


def plan(
    current: FleetSpec | None,
    rows: Mapping[str, MarketRow],
    wanted: FleetSpec,
    positions: Mapping[str, bool],
) -> tuple[PlanStep, ...]:
    """What an apply of ``wanted`` would do; empty means no changes.

    ``positions``: whether a market holds one, where known. A FAILED market is started again.
    """
    steps = []
    if current is not None and (differences := changes(_fleet_part(current), _fleet_part(wanted))):
        runs = any(row.desired for row in rows.values())  # else nothing is at risk yet
        raises = runs and any(_raises_fleet(c, current, wanted) for c in differences)
        kind = max((of_fleet(change.leaf) for change in differences), key=CLASSES.index)
        steps.append(PlanStep(FLEET, kind, _told(differences), raises))
    for market in sorted(rows.keys() | wanted.markets.keys()):
        step = _market_step(market, current, rows.get(market), wanted, positions)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _market_step(
    market: str,
    current: FleetSpec | None,
    row: MarketRow | None,
    wanted: FleetSpec,
    positions: Mapping[str, bool],
) -> PlanStep | None:
    after = wanted.markets.get(market)
    runs = row is not None and row.desired
    if after is None:
        if not runs:
            return None
        held = positions.get(market, False)
        return PlanStep(market, *(("drain", "left the manifest, with a position") if held
                                  else ("remove", "left the manifest")))  # fmt: skip
    before = None if current is None else current.markets.get(market)
    if not runs or before is None:
        return PlanStep(market, "start", f"margin {after.margin_usd:g} USD at {after.leverage}x")
    differences = changes(before, after)
    if not differences:
        assert row is not None
        if row.phase is Phase.FAILED:
            return PlanStep(market, "start", f"it failed: {row.reason}")
        return None
    kind = max((change.kind for change in differences), key=CLASSES.index)
    raises = any(change.raises_risk for change in differences)
    return PlanStep(market, kind, _told(differences), raises)


def _fleet_part(spec: FleetSpec) -> FleetSpec:
    return msgspec.structs.replace(spec, markets={})


def _raises_fleet(change: Change, current: FleetSpec, wanted: FleetSpec) -> bool:
    """Whether a limit of the fleet was raised by hand: one that is the sum over the markets grows
    with each market that is added, and whoever adds one has said so.
    """
    before, after = change.before, change.after
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if not change.leaf.startswith("risk.") or not numbers or after <= before:  # type: ignore[operator]
        return False
    leaf = change.leaf.removeprefix("risk.")
    summed = (_sums(current).get(leaf), _sums(wanted).get(leaf)) == (before, after)
    return not (summed and current.markets.keys() < wanted.markets.keys())


def _sums(spec: FleetSpec) -> dict[str, float]:
    """The fleet's limits as they are where the manifest leaves them out."""
    markets = list(spec.markets.values())
    if not markets:
        return {}
    gross_usd = float(sum(settings.risk.position_max_usd for settings in markets))
    return {
        "gross_notional_max_usd": gross_usd,
        "net_notional_max_usd": gross_usd,
        "underlying_gross_max_usd": float(max(underlying_sums(markets).values())),
        "daily_loss_max_usd": float(sum(each.risk.daily_loss_max_usd for each in markets)),
    }


def _told(differences: tuple[Change, ...]) -> str:
    return ", ".join(f"{c.leaf} {_short(c.before)} -> {_short(c.after)}" for c in differences)


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def what_changed(before: FleetSpec | None, after: FleetSpec) -> tuple[PlanStep, ...]:
    """From one revision to the next, as if all of the first had been running."""
    rows = {
        name: MarketRow(name, True, Phase.QUOTING, None, 0, 0, 0)
        for name in (before.markets if before else ())
    }
    return plan(before, rows, after, {})


def merged(current: FleetSpec | None, wanted: FleetSpec, only: str | None) -> FleetSpec:
    """``wanted``, or, with ``only``, what is desired now with that one market replaced."""
    if only is None:
        return wanted
    markets = {} if current is None else dict(current.markets)
    if only in wanted.markets:
        markets[only] = wanted.markets[only]
    else:
        markets.pop(only, None)
    return msgspec.structs.replace(current or wanted, markets=markets)


def plan_id(base_rev: int, wanted: FleetSpec) -> str:
    """Names a plan by what it starts from and where it leads: an apply may insist on it."""
    return f"{base_rev}-{digest(wanted)}"
