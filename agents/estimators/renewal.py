"""The slow beliefs, a part at a time: no single event pays for all of them.

A touch renews one part, 250 ms of venue time after the last, and a whole book, dear enough itself,
after two seconds; all of them at once only when nobody asked for five. Parts read what was learned;
they teach nothing, however often they run.
"""

from typing import Final

from agents.estimators.carry import BasisEstimator
from agents.estimators.cascade import Cascade
from agents.estimators.depth import DepthEstimator
from agents.estimators.estimates import Beliefs, SideMarkouts
from agents.estimators.exposure import ExposureEstimator
from agents.estimators.fair import FairEstimator
from agents.estimators.hawkes import Excitement
from agents.estimators.markout import HORIZONS_S, MarkoutEstimator
from agents.estimators.momentum import Momentum, MomentumEstimator
from agents.estimators.regime import RegimeEstimator
from agents.estimators.trading import Trading
from agents.estimators.volatility import Volatility, VolatilityEstimator
from agents.market.types import Side

PART_MS: Final = 250
SPARED_MS: Final = 2_000
STALE_MS: Final = 5_000

Volatilities = tuple[VolatilityEstimator, VolatilityEstimator, VolatilityEstimator]
Pair = tuple[SideMarkouts | None, SideMarkouts | None]


class Renewal:
    """Reads the panel's estimators; owns none of them."""

    __slots__ = (
        "_ask",
        "_asked_ms",
        "_basis",
        "_beliefs",
        "_bid",
        "_busy_share",
        "_cascade",
        "_depth",
        "_excitement",
        "_exposure",
        "_fair",
        "_momentum",
        "_momentum_now",
        "_next",
        "_own",
        "_own_sides",
        "_public_sides",
        "_regime",
        "_sides",
        "_toxicity_share",
        "_trading",
        "_volatilities",
        "_volatilities_now",
    )  # fmt: skip

    def __init__(
        self,
        *,
        trading: Trading,
        exposure: ExposureEstimator,
        own: MarkoutEstimator,
        volatilities: Volatilities,
        regime: RegimeEstimator,
        momentum: MomentumEstimator,
        fair: FairEstimator,
        depth: DepthEstimator,
        basis: BasisEstimator,
    ) -> None:
        self._trading, self._exposure, self._own = trading, exposure, own
        self._volatilities, self._regime, self._momentum = volatilities, regime, momentum
        self._fair, self._depth, self._basis = fair, depth, basis
        self._sides = trading.intensity.sides()
        self._bid, self._ask = self._sides
        self._public_sides: Pair = (None, None)
        self._own_sides: Pair = (None, None)
        self._toxicity_share: float | None = None
        self._excitement: Excitement | None = None
        self._cascade: Cascade | None = None
        self._busy_share = 1.0
        self._momentum_now: Momentum | None = None
        self._volatilities_now: tuple[Volatility | None, ...] = (None, None, None)
        self._beliefs: Beliefs | None = None
        self._asked_ms = self._next = 0

    def forget(self) -> None:
        """The next question renews everything."""
        self._beliefs = None

    def beliefs(self, now_ms: int, funding_per_h: float | None, *, spared: bool = False) -> Beliefs:
        """As of now, each part at most some touches old. ``spared``: this event was dear enough."""
        held, passed_ms = self._beliefs, now_ms - self._asked_ms
        if held is not None and 0 <= passed_ms < (SPARED_MS if spared else PART_MS):
            return held
        self._asked_ms = now_ms
        if held is None or not 0 <= passed_ms <= STALE_MS:
            for part in PARTS:
                part(self, now_ms)
        else:
            PARTS[self._next](self, now_ms)
            self._next = (self._next + 1) % len(PARTS)
        fast, medium, slow = self._volatilities_now
        self._beliefs = Beliefs(
            bid=self._bid,
            ask=self._ask,
            fast=fast,
            medium=medium,
            slow=slow,
            regime=self._regime.regime,
            momentum=self._momentum_now,
            own_bid=self._own_sides[0],
            own_ask=self._own_sides[1],
            public_bid=self._public_sides[0],
            public_ask=self._public_sides[1],
            toxicity_share=self._toxicity_share,
            excitement=self._excitement,
            cascade=self._cascade,
            depth_usd=self._depth.depth_usd,
            depth_ratio=self._depth.depth_ratio,
            basis_bps=self._basis.basis_bps,
            funding_per_h=funding_per_h,
            busy_share=self._busy_share,
            beta_lean=self._fair.beta_lean,
            beta_flow_bps=self._fair.beta_flow_bps,
        )
        return self._beliefs

    def _renew_public(self, now_ms: int) -> None:
        self._trading.settle(now_ms)
        self._sides = self._trading.intensity.sides()

    def _renew_bid(self, _now_ms: int) -> None:
        self._bid = self._exposure.shrink(Side.BID, self._sides[0])

    def _renew_ask(self, _now_ms: int) -> None:
        self._ask = self._exposure.shrink(Side.ASK, self._sides[1])

    def _renew_markouts(self, _now_ms: int) -> None:
        markouts = self._trading.markouts
        self._public_sides = (_markouts(markouts, Side.BID), _markouts(markouts, Side.ASK))

    def _renew_own(self, _now_ms: int) -> None:
        self._own_sides = (_markouts(self._own, Side.BID), _markouts(self._own, Side.ASK))

    def _renew_flow(self, now_ms: int) -> None:
        trading = self._trading
        self._toxicity_share = trading.toxicity.toxicity_share
        self._excitement = trading.hawkes.excitement(now_ms)
        self._cascade = trading.cascade.cascade(now_ms)
        self._busy_share = trading.seasonality.factor(now_ms)

    def _renew_motion(self, _now_ms: int) -> None:
        self._volatilities_now = tuple(each.volatility for each in self._volatilities)
        self._momentum_now = self._momentum.momentum(self._volatilities[2].sigma_bps)


PARTS: Final = (
    Renewal._renew_public,  # noqa: SLF001 - the order in which it renews itself
    Renewal._renew_bid,  # noqa: SLF001
    Renewal._renew_ask,  # noqa: SLF001
    Renewal._renew_motion,  # noqa: SLF001
    Renewal._renew_flow,  # noqa: SLF001
    Renewal._renew_markouts,  # noqa: SLF001
    Renewal._renew_own,  # noqa: SLF001
)


def _markouts(estimator: MarkoutEstimator, side: Side) -> SideMarkouts | None:
    s1, s10, s60 = (estimator.markout(horizon_s, side) for horizon_s in HORIZONS_S)
    if s1 is None and s10 is None and s60 is None:
        return None
    return SideMarkouts(s1=s1, s10=s10, s60=s60)
