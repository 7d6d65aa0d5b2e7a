"""One simulated run: safety under faults, then all faults end and everybody must come to agree."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from agents.market.types import Coin
from agents.market.units import NS_PER_S
from agents.settings import (
    DrainSettings,
    MarketSettings,
    MonitorSettings,
    OrphanSettings,
    RiskSettings,
    StrategySettings,
)
from agents.sim.flow_price import Chance
from fleet.gateway.api import Caps
from fleet.manifests.spec import FleetRisk
from fleet.world.agreement import Agreement
from fleet.world.counterparties import Counterparties
from fleet.world.faults import Level, draw
from fleet.world.storm import Storm
from fleet.world.world import World

MARKETS: Final = ("BTC", "hyna:BTC", "ETH", "xyz:NVDA", "SOL", "WLFI", "hyna:ETH", "XRP")
"""Which markets a world has, the first first."""
POSITION_MAX_USD: Final = 1_500.0
NET_SHARE: Final = 0.5
"""The fleet's cap on its net position, of what its markets' own limits add up to. A third of the
seeds have one: where it binds, no market comes to its own limit."""
CALM_S: Final = 8.0
HEAL_MAX_S: Final = 90.0
_UNBOUNDED_USD: Final = 1e12
_BRAVE: Final = MonitorSettings(
    growth_max_share=10.0, answer_max_s=4.0, rate_limited_max_per_min=1_000, recovery_after_s=2.0,
    kills_max_per_day=1_000, resume_ramp_s=5.0,
)  # fmt: skip
"""An agent that stood back for half a minute whenever an answer is late would show nothing."""
_DO: Final[tuple[Literal["hold", "reduce", "flatten"], ...]] = ("flatten", "reduce", "hold")


class Result(msgspec.Struct, frozen=True):
    """What ``fleet simulate -o json`` prints, but for the wall time."""

    digest: str
    seed: int
    events: int
    fills: int
    faults: dict[str, int]
    invariants_checked: dict[str, int]
    violations: tuple[str, ...]
    simulated_s: float


def settings(market: str, do: Literal["hold", "reduce", "flatten"]) -> MarketSettings:
    """Near enough to be filled often, with a limit that is often reached. ``do``: with orphans."""
    return MarketSettings(
        market=Coin(market),
        margin_usd=1_000.0,
        leverage=3,
        risk=RiskSettings(
            position_max_usd=POSITION_MAX_USD, daily_loss_max_usd=_UNBOUNDED_USD, advanced=_BRAVE
        ),
        strategy=StrategySettings(
            half_spread_floor_bps=1.5, kappa_prior_per_bps=1.0, fills_per_s_prior=0.3,
            clip_usd=200.0, warmup_s=3.0,
        ),
        drain=DrainSettings(passive_s=4.0, then="flatten"),
        on_orphan=OrphanSettings(after_s=2.0, do=do),
    )  # fmt: skip


def build(
    seed: int, markets: int, level: Level, chance: Callable[[str], Chance]
) -> tuple[World, Storm]:
    """A world and its storm. ValueError for a number of markets that there is not."""
    if not 1 <= markets <= len(MARKETS):
        raise ValueError(f"markets must be 1 to {len(MARKETS)}, not {markets}")
    names = MARKETS[:markets]
    market = Counterparties(names, chance("flow"), "lively")
    limit = _UNBOUNDED_USD
    risk = FleetRisk(limit, limit, limit, limit, drawdown_max_share=0.99)
    cares = chance("orphans")
    rows = {name: settings(name, _DO[cares.randrange(len(_DO))]) for name in names}
    net_usd = NET_SHARE * POSITION_MAX_USD * markets
    caps = Caps(net_max_usd=None if chance("caps").randrange(3) else net_usd)
    world = World(rows, risk, market, chance, caps=caps)
    world.heap.note(f"{seed} {level.value}".encode())
    world.run(CALM_S)
    storm = Storm(world, draw(level, chance("faults")), chance("storm"), market.dark_coins)
    return world, storm


def simulate(
    seed: int, *, markets: int, seconds: float, level: Level, chance: Callable[[str], Chance]
) -> Result:
    """Run one seed to its end. ``chance`` makes a seeded source of chance for a purpose."""
    world, storm = build(seed, markets, level, chance)
    checks = world.checks
    left_s = seconds
    while left_s > 0 and not checks.violations:
        world.run(min(1.0, left_s))
        left_s -= 1.0
    violations = list(checks.violations)
    if not violations:
        violations = _heal(world, storm)
    return Result(
        digest=world.heap.digest,
        seed=seed,
        events=world.heap.events,
        fills=len(world.account.fills),
        faults=dict(sorted(world.network.faults.items())),
        invariants_checked=dict(sorted(checks.checked.items())),
        violations=tuple(violations),
        simulated_s=(world.heap.now_ns - world.began_ns) / NS_PER_S,
    )


def _heal(world: World, storm: Storm) -> list[str]:
    """Agreement within ``HEAL_MAX_S``, or why there is none."""
    storm.heal()
    agreement = Agreement(world)
    waited_s, differing = 0.0, ["nothing was looked at"]
    while differing and waited_s < HEAL_MAX_S:
        world.run(0.5)
        waited_s += 0.5
        if world.checks.violations:
            return list(world.checks.violations)
        differing = list(agreement.differences())
    return [f"liveness: {text}" for text in differing]
