"""All estimators of one market: each event enters once, one frozen ``Estimates`` comes out.

Time is the venue's: a touch carries its block's time, decays and durations are measured in it. The
shell's clock tells only how long the feed has been silent and when the wait for warmth is over.
"""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from agents.estimators.carry import BasisEstimator
from agents.estimators.cascade import Cascade
from agents.estimators.checkpoint import VERSION, Checkpoint, CheckpointRefused, decode
from agents.estimators.depth import DepthEstimator, near_usd
from agents.estimators.drift import DriftEstimator
from agents.estimators.estimates import Beliefs, Estimates
from agents.estimators.exposure import ExposureEstimator
from agents.estimators.fair import FairEstimator, bounded_px, lean_bps
from agents.estimators.intensity import Intensity
from agents.estimators.markout import MarkoutEstimator
from agents.estimators.momentum import MomentumEstimator
from agents.estimators.prints import PX_MAX, SZ_MAX
from agents.estimators.regime import RegimeEstimator
from agents.estimators.renewal import Renewal
from agents.estimators.trading import Trading
from agents.estimators.volatility import GAP_MAX_NS, SAMPLE_NS, VolatilityEstimator
from agents.events import AssetCtx, Bbo, Book, Trades
from agents.market.types import Coin, Level, Side
from agents.market.units import BPS, MS_PER_S, NS_PER_MS, NS_PER_S, s_to_ns
from agents.settings import StrategySettings

__all__ = ["Beliefs", "Estimates", "Panel"]

SIGMA_PRIOR_BPS: Final = 1.0
SIGMA_MIN_BPS: Final = 0.1
FAST_HALF_LIFE_S: Final = 10.0
SLOW_HALF_LIFE_S: Final = 600.0
SAMPLE_MS: Final = SAMPLE_NS // NS_PER_MS
SPARED_MS: Final = 1_200
GAP_MAX_MS: Final = GAP_MAX_NS // NS_PER_MS
STUCK_NS: Final = s_to_ns(3.0)
OFFERS_NS: Final = s_to_ns(0.5)
WIDE_BPS: Final = 25.0
SPARED_SHARE_MAX: Final = 0.5
PX_MIN: Final = 1e-12


class Panel:
    """The touch and the estimators that live on it.

    ``data_ns`` is when the last book or bbo came (None: never); silence is judged by its age.
    """

    __slots__ = (
        "_basis", "_carried_s", "_dear", "_depth", "_drift", "_estimates", "_exposure", "_fair",
        "_fast", "_funding_per_h", "_lean_bps", "_mark_px", "_medium", "_mid_px", "_momentum",
        "_offers_ns", "_own", "_ready", "_regime", "_renewal", "_sampled_ms", "_settings",
        "_sigma_bps", "_slow", "_slow_bps", "_started_ns", "_touch_ms", "_touch_ns", "_trading",
        "ask", "bid", "data_ns",
    )  # fmt: skip

    def __init__(self, settings: StrategySettings, now_ns: int) -> None:
        self._settings = settings
        self._fast = VolatilityEstimator(FAST_HALF_LIFE_S)
        self._medium = VolatilityEstimator(settings.sigma_half_life_s)
        self._slow = VolatilityEstimator(SLOW_HALF_LIFE_S)
        self._regime = RegimeEstimator()
        self._fair = FairEstimator()
        self._momentum = MomentumEstimator()
        self._trading = Trading(
            Intensity(
                fills_per_s=settings.fills_per_s_prior, kappa_per_bps=settings.kappa_prior_per_bps
            )
        )
        self._exposure = ExposureEstimator()
        self._own = MarkoutEstimator()
        self._depth = DepthEstimator()
        self._basis = BasisEstimator()
        self._drift = DriftEstimator()
        self._started_ns = now_ns
        self._touch_ms = self._touch_ns = self._sampled_ms = self._offers_ns = 0
        self._lean_bps = 0.0
        self._mid_px: float | None = None
        self._sigma_bps: float | None = None
        self._slow_bps: float | None = None
        self._dear = False
        self._mark_px: float | None = None
        self._funding_per_h: float | None = None
        self._ready = False
        self._carried_s = 0.0
        self._renewal = Renewal(
            trading=self._trading,
            exposure=self._exposure,
            own=self._own,
            volatilities=(self._fast, self._medium, self._slow),
            regime=self._regime,
            momentum=self._momentum,
            fair=self._fair,
            depth=self._depth,
            basis=self._basis,
        )
        self._estimates: Estimates | None = None
        self.bid: Level | None = None
        self.ask: Level | None = None
        self.data_ns: int | None = None

    # ── the door ─────────────────────────────────────────────────────────────────────────────

    def on_book(self, book: Book, now_ns: int) -> None:
        """Take the touch of a whole book, and what rests behind it."""
        bids, asks = book.levels
        self._dear = True
        bid, ask = bids[0] if bids else None, asks[0] if asks else None
        if self._touch(bid, ask, book.venue_ms, now_ns) and bid is not None and ask is not None:
            mid_px = (bid.px + ask.px) / 2
            sums = near_usd(bids, mid_px), near_usd(asks, mid_px)
            if max(sums) < PX_MAX * SZ_MAX:  # neither infinite nor NaN
                self._depth.update(*sums, book.venue_ms)
                self._drift.rests(*sums)

    def on_bbo(self, bbo: Bbo, now_ns: int) -> None:
        """Take the touch."""
        bid, ask = bbo.bbo
        self._dear = False
        self._touch(bid, ask, bbo.venue_ms, now_ns)

    def told(self, bid_px: float, ask_px: float, *, sent_ns: int) -> None:
        """The touch that an order sent at ``sent_ns`` met, as its refusal tells it: newer than ours
        where none came since. It stands until the next one and teaches nothing, for it has no time.
        """
        bid, ask, data_ns = self.bid, self.ask, self.data_ns
        if bid is None or ask is None or data_ns is None or data_ns > sent_ns:
            return
        told = msgspec.structs.replace(bid, px=bid_px), msgspec.structs.replace(ask, px=ask_px)
        if _sane(*told):
            self.bid, self.ask = told
            self._lean_bps, self._estimates = 0.0, None

    def on_ctx(self, ctx: AssetCtx) -> None:
        """Take the venue's mark, oracle and funding, each if it is a price or a rate at all."""
        if PX_MIN < ctx.mark_px < PX_MAX:
            self._mark_px = ctx.mark_px
        if PX_MIN < ctx.oracle_px < PX_MAX:
            self._basis.told(ctx.oracle_px, self._touch_ms)
        if -1.0 < ctx.funding_per_h < 1.0:
            self._funding_per_h = ctx.funding_per_h
        self._estimates = None

    def on_trades(self, event: Trades) -> None:
        """Take the bursts of new prints."""
        if self._trading.on_trades(event):
            self._trading.learn(self._fair.flow)

    def on_offers(self, orders: Iterable[tuple[Side, float]], now_ns: int) -> None:
        """What of ours rests now, by side and price: its time on offer since the last call."""
        passed_ns = now_ns - self._offers_ns
        if passed_ns < OFFERS_NS:
            return
        self._offers_ns = now_ns
        bid, ask, data_ns = self.bid, self.ask, self.data_ns
        if passed_ns > 4 * OFFERS_NS or data_ns is None or now_ns - data_ns > STUCK_NS:
            return  # the first call, or nobody watched
        if bid is None or ask is None or bid.px >= ask.px:
            return
        mid_px, dt_s = (bid.px + ask.px) / 2, passed_ns / NS_PER_S
        for side, px in orders:
            self._exposure.rested(side, side.sign * (mid_px - px) / mid_px * BPS, dt_s)
        self._exposure.elapse(dt_s)

    def on_fill(self, side: Side, px: Decimal, share: float, at_ms: int) -> None:
        """A maker's fill of ours: so much of its order, at its price."""
        mid_px = self._trading.prints.mid_before(at_ms)
        fill_px = float(px)
        if mid_px is None or not 0 < share < SZ_MAX:
            return
        depth_bps = side.sign * (mid_px - fill_px) / mid_px * BPS
        self._exposure.filled(side, depth_bps, min(share, 1.0))
        self._own.traded(side, fill_px, at_ms, depth_bps)

    def gap(self) -> None:
        """The feed broke: its first trades frame will be a replay, its touch is old."""
        self._restart()
        self.bid = self.ask = self._mid_px = None
        self._touch_ms = 0
        self._estimates = None

    def adopt(self, settings: StrategySettings) -> None:
        """New settings: warm-up times count at once; priors and half-lives at the next start."""
        self._settings = settings
        self._estimates = None

    # ── the belief ───────────────────────────────────────────────────────────────────────────

    def estimates(self, now_ns: int) -> Estimates | None:
        """The belief of now; None without a two-sided, uncrossed touch."""
        if not self._ready:
            self._ready = self._warm(now_ns)
            self._estimates = None
        if self._estimates is None:
            self._estimates = self._believe()
        return self._estimates

    @property
    def ready(self) -> bool:
        """Whether enough was seen, or the time for seeing it ran out."""
        return self._ready

    @property
    def crossed(self) -> bool:
        """Whether the touch shows a bid at or above the ask: nothing can be made of it."""
        return self.bid is not None and self.ask is not None and self.bid.px >= self.ask.px

    def trade_age_ms(self, now_ns: int) -> int | None:
        """How old the newest public trade is, by the venue's time; None: none was seen."""
        traded_ms, data_ns = self._trading.prints.last_ms, self.data_ns
        if not traded_ms or data_ns is None:
            return None
        return max(0, self._touch_ms - traded_ms) + (now_ns - data_ns) // NS_PER_MS

    @property
    def anchor_px(self) -> float | None:
        """The oracle with the usual basis: a price where the book shows none."""
        return self._basis.anchor_px(self._touch_ms)

    @property
    def cascade(self) -> Cascade | None:
        """Forced flow as of the last touch, for whom the turn of ``estimates`` comes too late."""
        return self._trading.cascade.cascade(self._touch_ms)

    # ── across restarts ──────────────────────────────────────────────────────────────────────

    def checkpoint(self, coin: Coin) -> Checkpoint:
        """What may be carried over a restart. Reads only: when it is asked changes no belief."""
        return Checkpoint(
            version=VERSION,
            coin=coin,
            saved_ms=self._touch_ms,
            medium=self._medium.carried(),
            slow=self._slow.carried(),
            intensity=self._trading.intensity.carried(),
            exposure=self._exposure.carried(),
            own_markouts=self._own.carried(),
            public_markouts=self._trading.markouts.carried(),
            seasonality=self._trading.seasonality.carried(),
        )

    def restore(self, raw: bytes, *, coin: Coin, now_ms: int) -> None:
        """Take a checkpoint. Raises CheckpointRefused.

        Readiness stays to be earned: each second that the carried sigma still weighs spares one
        of ``warmup_s``, half of it at most.
        """
        if self.data_ns is not None:
            raise CheckpointRefused("the feed has begun: what is believed now is newer")
        held, age_s = decode(raw, coin=coin, now_ms=now_ms)
        self._medium.carry(held.medium, age_s=age_s)
        self._slow.carry(held.slow, age_s=age_s)
        self._carried_s = self._medium.weighed_s
        self._trading.intensity.carry(held.intensity, age_s=age_s)
        self._exposure.carry(held.exposure, age_s=age_s)
        self._own.carry(held.own_markouts)
        self._trading.markouts.carry(held.public_markouts)
        self._trading.seasonality.carry(held.seasonality)
        self._renewal.forget()
        self._estimates = None

    # ── inside ───────────────────────────────────────────────────────────────────────────────

    def _touch(self, bid: Level | None, ask: Level | None, venue_ms: int, now_ns: int) -> bool:
        """Whether it is a touch that estimators learned from."""
        if not _sane(bid, ask):
            return False
        self.data_ns = now_ns
        passed_ms = venue_ms - self._touch_ms
        if passed_ms < 0:
            if now_ns - self._touch_ns <= STUCK_NS:
                return False  # a slower channel tells an older story
            self._restart()  # the venue's own clock has gone back
        elif passed_ms > GAP_MAX_MS:
            self._restart()
        self._touch_ms, self._touch_ns = venue_ms, now_ns
        before_px, self._mid_px = self._mid_px, None
        self.bid, self.ask = bid, ask
        self._estimates = None
        if bid is None or ask is None or bid.px >= ask.px:
            return False
        mid_px = self._mid_px = (bid.px + ask.px) / 2
        self._learn(bid, ask, venue_ms, mid_px, before_px)
        if before_px is not None and passed_ms <= GAP_MAX_MS:
            self._trading.watched(passed_ms / MS_PER_S)
        return True

    def _learn(
        self, bid: Level, ask: Level, venue_ms: int, mid_px: float, before_px: float | None
    ) -> None:
        """What every touch teaches; ``before_px``: the mid that stood until now."""
        lean = self._lean_bps = lean_bps(bid, ask)
        trading, own = self._trading, self._own
        if trading.waiting:
            trading.learn(self._fair.flow)
        trading.prints.touched(mid_px, venue_ms)
        if venue_ms >= trading.markouts.due_ms:
            trading.markouts.touched(mid_px, venue_ms, before_px)
        if venue_ms >= own.due_ms:
            own.touched(mid_px, venue_ms, before_px)
        if venue_ms >= self._fair.due_ms:
            self._fair.touched(mid_px, lean, venue_ms, before_px)
        self._drift.touched(mid_px, bid.sz, ask.sz, venue_ms, self._slow_bps)
        if venue_ms - self._sampled_ms >= (SPARED_MS if self._dear else SAMPLE_MS):
            self._sample(mid_px, venue_ms)

    def _sample(self, mid_px: float, venue_ms: int) -> None:
        """What need not see every touch."""
        self._sampled_ms = venue_ms
        at_ns = venue_ms * NS_PER_MS
        self._fast.update(mid_px, at_ns)
        self._medium.update(mid_px, at_ns)
        self._slow.update(mid_px, at_ns)
        self._sigma_bps, self._slow_bps = self._medium.sigma_bps, self._slow.sigma_bps
        self._momentum.touched(mid_px, venue_ms, self._slow_bps)
        fast_bps = self._fast.sigma_bps
        if fast_bps is not None:
            self._regime.update(fast_bps, at_ns)
        self._basis.touched(mid_px, venue_ms)

    def _restart(self) -> None:
        for volatility in (self._fast, self._medium, self._slow):
            volatility.restart()
        self._regime.restart()
        self._momentum.restart()
        self._fair.restart()
        self._drift.restart()
        self._own.restart()
        self._trading.restart()
        self._sampled_ms = 0

    def _warm(self, now_ns: int) -> bool:
        if self.bid is None or self.ask is None:
            return False
        if now_ns - self._started_ns >= s_to_ns(self._settings.warmup_max_s):
            return True
        return self._warm_share >= 1.0

    @property
    def _warm_share(self) -> float:
        """How much of the warm-up is done, what was carried included."""
        warmup_s = self._settings.warmup_s
        wait_s = warmup_s - min(self._carried_s, SPARED_SHARE_MAX * warmup_s)
        return min(self._medium.seen_s / wait_s, 1.0) if wait_s > 0 else 1.0

    def _believe(self) -> Estimates | None:
        bid, ask = self.bid, self.ask
        if bid is None or ask is None or bid.px >= ask.px:
            return None
        beliefs = self._renewal.beliefs(self._touch_ms, self._funding_per_h, spared=self._dear)
        sigma_bps = self._sigma_bps
        return Estimates(
            bid_px=bid.px,
            ask_px=ask.px,
            mid_px=(bid.px + ask.px) / 2,
            fair_px=self._fair_px(bid, ask),
            sigma_bps=SIGMA_PRIOR_BPS if sigma_bps is None else max(sigma_bps, SIGMA_MIN_BPS),
            sigma_known=sigma_bps is not None,
            fills_per_s=(beliefs.bid.fills_per_s + beliefs.ask.fills_per_s) / 2,
            kappa_per_bps=math.sqrt(beliefs.bid.kappa_per_bps * beliefs.ask.kappa_per_bps),
            mark_px=self._mark_px,
            ready=self._ready,
            beliefs=beliefs,
            drift_bps=self._drift.drift_bps(SIGMA_PRIOR_BPS if sigma_bps is None else sigma_bps),
            warm_share=1.0 if self._ready else self._warm_share,
        )

    def _fair_px(self, bid: Level, ask: Level) -> float:
        """The regression's; where the touch is so wide that it says little, the oracle's side."""
        away_bps = self._fair.away_bps(self._lean_bps, self._touch_ms)
        mid_px = (bid.px + ask.px) / 2
        if (ask.px - bid.px) / 2 > mid_px * WIDE_BPS / BPS:
            anchor_px = self.anchor_px
            if anchor_px is not None:
                away_bps = (anchor_px / mid_px - 1.0) * BPS
        return bounded_px(bid, ask, away_bps)


def _sane(bid: Level | None, ask: Level | None) -> bool:
    """A price or a size that is no number, or beyond any market's, is not; an empty side is."""
    return (bid is None or (PX_MIN < bid.px < PX_MAX and 0 <= bid.sz < SZ_MAX)) and (
        ask is None or (PX_MIN < ask.px < PX_MAX and 0 <= ask.sz < SZ_MAX)
    )
