"""The rule in numbers is the agents' own: what it keeps they keep, what not they replace."""

from decimal import Decimal

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agents.events import BudgetChanged
from agents.handlers.thrift import thrifty
from agents.market.types import Cloid, Quote, Side
from agents.market.units import BPS
from agents.orders.lifecycle import State
from agents.orders.reconcile import Tolerance, reconcile_side
from agents.orders.tracked import TrackedOrder
from agents.settings import StrategySettings
from agents.strategy.presence import kept_max_bps
from agents.strategy.quoter import SideRoom, quote
from fleet.gateway.core.request_price import Terms
from fleet.scarcity.flow import KINDS, Flow
from fleet.scarcity.quotes import strategy_of
from fleet.scarcity.rule import Strategy, bands
from tests.unit.agents.strategy.test_quoter import ESTIMATES, SOL

FAIR_PX = 10_000.0
STRATEGY = StrategySettings(requote_tolerance_share=0.25, latency_s=0.25, half_spread_max_bps=50.0)


def tolerance_of(strategy: Strategy, flow: Flow, terms: Terms) -> Tolerance:
    """As the engine makes it, of a quoting with this half-spread and clip."""
    estimates = msgspec.structs.replace(
        ESTIMATES, fair_px=FAIR_PX, mid_px=FAIR_PX, sigma_bps=flow.sigma_bps,
        fills_per_s=flow.fills_per_s * flow.share, kappa_per_bps=flow.kappa_per_bps,
    )  # fmt: skip
    nothing = SideRoom(room_sz=Decimal(0))
    clip_sz = Decimal(repr(strategy.clip_usd / FAIR_PX))
    quoting = quote(
        ESTIMATES, settings=STRATEGY, instrument=SOL, position_sz=Decimal(0), clip_sz=clip_sz,
        bid_room=nothing, ask_room=nothing,
    )  # fmt: skip
    parts = [name for name in quoting.half_spread.__struct_fields__ if name.endswith("_bps")]
    half = msgspec.structs.replace(quoting.half_spread, **dict.fromkeys(parts, 0.0))
    half = msgspec.structs.replace(half, model_bps=strategy.half_bps)
    base = Tolerance(
        share=strategy.share, step_bps=strategy.half_bps, age_min_ns=0, mid_px=FAIR_PX,
        tick_px=FAIR_PX * strategy.tick_bps / BPS, first_max_bps=kept_max_bps(strategy.half_bps),
    )  # fmt: skip
    return thrifty(
        base, BudgetChanged(terms.request_usd, terms.pace_s, terms.levels_share),
        estimates=estimates, quoting=msgspec.structs.replace(quoting, half_spread=half),
        in_one_step=False, strategy=STRATEGY,
        instrument=msgspec.structs.replace(SOL, maker_fee_bps=strategy.fee_bps),
    )  # fmt: skip


def order(px: float) -> TrackedOrder:
    return TrackedOrder(
        cloid=Cloid("0x1"), side=Side.BID, px=Decimal(repr(px)), sz=Decimal(1), near_px=px,
        sent_ns=0, state=State.OPEN,
    )  # fmt: skip


@settings(max_examples=60)
@given(
    kind=st.sampled_from(KINDS),
    price=st.sampled_from([0.0, 1e-7, 1e-5, 1e-4, 5e-4]),
    levels_share=st.sampled_from([1.0, 0.6, 0.2]),
    at=st.integers(0, 4),
    off=st.floats(0.3, 1.7),
)
def test_it_keeps_what_the_agents_keep(
    kind: Flow, price: float, levels_share: float, at: int, off: float
) -> None:
    """One order, where only its own level can be meant."""
    strategy = strategy_of(kind, 200.0)
    distances = strategy.distances()
    away = off * distances[at]
    assume(min(range(5), key=lambda level: abs(distances[level] - away)) == at)
    terms = Terms(price, 0.0, levels_share)
    held = bands(strategy, kind, terms)
    band = held.levels[at]
    assume(min(abs(away - band.least), abs(away - band.most)) > 1e-6)
    wanted = [FAIR_PX * (1 - d / BPS) for d in distances]
    plan = reconcile_side(
        side=Side.BID, wanted=[Quote(Side.BID, Decimal(repr(px)), Decimal(1)) for px in wanted],
        live=[order(FAIR_PX * (1 - away / BPS))], fair_px=FAIR_PX,
        tolerance=tolerance_of(strategy, kind, terms), reduce_only=False, now_ns=1,
    )  # fmt: skip
    kept = band.least <= away <= band.most
    assert bool(plan.cancel) != kept
    missing = [level for level in range(held.levels_max) if level != at or not kept]
    assert len(plan.place) == len(missing)
