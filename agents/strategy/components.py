"""One side's half-spread as named, capped parts that add up to it, each with its reason.

    total = model + fee + adverse + regime + jump + momentum + tight + cap + presence + risk
            + retreat + floor

The order is the order of addition, so the sum is exact to the last bit. Widening parts are 0 or
more, ``tight``, ``cap`` and ``presence`` 0 or less, and the floor comes last: nothing goes below
it. Inventory is no part of this: the skew moves both sides alike, and no cap here touches it.
"""

from typing import Final

import msgspec

from agents.market.types import Side
from agents.settings import StrategySettings
from agents.strategy.conditions import Conditions
from agents.strategy.floors import Floor

LOWER_END: Final = 1.645  # standard errors: what a mean exceeds with 95 %


class HalfSpread(msgspec.Struct, frozen=True, gc=False):
    """A half-spread as the sum of its named parts, in bps, added in this order."""

    model_bps: float
    fee_bps: float
    adverse_bps: float = 0.0
    regime_bps: float = 0.0
    jump_bps: float = 0.0
    momentum_bps: float = 0.0
    tight_bps: float = 0.0
    cap_bps: float = 0.0
    presence_bps: float = 0.0
    risk_bps: float = 0.0
    retreat_bps: float = 0.0
    floor_bps: float = 0.0
    floor_name: str = ""

    @property
    def wanted_bps(self) -> float:
        """Without the floor."""
        return (
            self.model_bps + self.fee_bps + self.adverse_bps + self.regime_bps + self.jump_bps
            + self.momentum_bps + self.tight_bps + self.cap_bps + self.presence_bps + self.risk_bps
            + self.retreat_bps
        )  # fmt: skip

    @property
    def total_bps(self) -> float:
        return self.wanted_bps + self.floor_bps

    @property
    def believed_bps(self) -> float:
        """As wide as beliefs and floors make it, not drawn nearer."""
        return self.total_bps - self.presence_bps

    def parts(self) -> dict[str, float]:
        """All parts by name, in the order they are added."""
        fields = msgspec.structs.asdict(self)
        return {name[:-4]: bps for name, bps in fields.items() if name.endswith("_bps")}


def half_spread(
    side: Side,
    *,
    model_bps: float,
    fee_bps: float,
    conditions: Conditions,
    strategy: StrategySettings,
    floor: Floor,
    tight: bool,
    market_half_bps: float,
    present_max_bps: float | None,
    retreat_max_bps: float,
) -> HalfSpread:
    """``floor``: the one that binds; ``tight``: all prerequisites for quoting tighter hold;
    ``present_max_bps``: beyond this the first level would not count as quoting (None: may be);
    ``retreat_max_bps``: no further an expected move takes the side that it runs into.
    """
    advanced = strategy.advanced
    sign = side.sign
    against_bps = conditions.adverse_bid_bps if sign > 0 else conditions.adverse_ask_bps
    adverse_bps = _upto(strategy.adverse_weight * against_bps, advanced.adverse_max_bps)
    regime_bps = 0.0
    if conditions.regime == "high":
        regime_bps = advanced.regime_high_bps
    elif conditions.regime == "extreme":
        regime_bps = advanced.regime_extreme_bps
    jump_bps = _upto(
        advanced.jump_weight_bps * (conditions.jump_ratio - advanced.jump_from_ratio),
        advanced.jump_max_bps,
    )
    momentum_bps = 0.0
    if conditions.threat == -sign:  # prices run down: who bids is run over
        momentum_bps = conditions.threat_share * advanced.momentum_max_bps
    wide_bps = model_bps + fee_bps + adverse_bps + regime_bps + jump_bps + momentum_bps
    tight_bps = -strategy.tight_share * max(wide_bps - fee_bps, 0.0) if tight else 0.0
    wanted_bps = wide_bps + tight_bps
    cap_bps = 0.0
    if advanced.market_cap_ratio > 0:
        cap_bps = min(advanced.market_cap_ratio * market_half_bps - wanted_bps, 0.0)
        wanted_bps += cap_bps
    presence_bps = 0.0
    if present_max_bps is not None and wanted_bps > present_max_bps:
        presence_bps = present_max_bps - wanted_bps
        wanted_bps += presence_bps
    risk_bps = conditions.widen_bid_bps if sign > 0 else conditions.widen_ask_bps
    wanted_bps += risk_bps
    retreat_bps = 0.0
    against = -sign * conditions.drift_bps
    if against > 0 and wanted_bps < retreat_max_bps:
        retreat_bps = min(strategy.retreat_weight * against, retreat_max_bps - wanted_bps)
        wanted_bps += retreat_bps
    short_bps = floor.bps - wanted_bps
    return HalfSpread(
        model_bps=model_bps,
        fee_bps=fee_bps,
        adverse_bps=adverse_bps,
        regime_bps=regime_bps,
        jump_bps=jump_bps,
        momentum_bps=momentum_bps,
        tight_bps=tight_bps,
        cap_bps=cap_bps,
        presence_bps=presence_bps,
        risk_bps=risk_bps,
        retreat_bps=retreat_bps,
        floor_bps=short_bps if short_bps > 0 else 0.0,
        floor_name=floor.name if short_bps > 0 else "",
    )


def adverse_floor_bps(side: Side, conditions: Conditions, *, weight: float) -> float:
    """What the mid takes from a maker of this side at the very least."""
    against_bps = conditions.adverse_bid_bps if side.sign > 0 else conditions.adverse_ask_bps
    return max(weight * (against_bps - LOWER_END * conditions.adverse_se_bps), 0.0)


def may_be_tight(
    conditions: Conditions, *, inventory_share: float, strategy: StrategySettings
) -> bool:
    """The five prerequisites: regime, toxicity, inventory, hour, and depth; where one is not known
    it does not hold.
    """
    advanced = strategy.advanced
    return (
        strategy.tight_share > 0
        and conditions.regime in ("low", "normal")
        and conditions.toxicity_share < advanced.tight_toxicity_max
        and inventory_share < advanced.tight_inventory_max
        and conditions.hour is not None
        and conditions.hour not in advanced.hours_avoided
        and conditions.depth_usd is not None
        and conditions.depth_ratio >= advanced.tight_depth_min
    )


def _upto(value: float, maximum: float) -> float:
    value = min(maximum, value)
    return max(0.0, value)
