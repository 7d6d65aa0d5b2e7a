"""All estimators of one market: each event enters once, one frozen ``Estimates`` comes out."""

from typing import Final

import msgspec

from agents.estimators.fair import fair_px
from agents.estimators.intensity import Intensity, IntensityEstimator
from agents.estimators.volatility import GAP_MAX_NS, VolatilityEstimator
from agents.events import AssetCtx, Bbo, Book, Trades
from agents.market.types import Level, Side, Trade
from agents.market.units import BPS, NS_PER_S, s_to_ns
from agents.settings import StrategySettings

SIGMA_PRIOR_BPS: Final = 1.0
SIGMA_MIN_BPS: Final = 0.1
TIDS_KEPT: Final = 4_096
BACKLOG_MS: Final = 3_000


class Estimates(msgspec.Struct, frozen=True, gc=False):
    """What is believed of the market at one moment.

    ``sigma_bps`` bps/sqrt(s): the prior until ``sigma_known``; ``fills_per_s`` A per side;
    ``mark_px`` None until the venue told it; ``ready`` from public data alone.
    """

    bid_px: float
    ask_px: float
    mid_px: float
    fair_px: float
    sigma_bps: float
    sigma_known: bool
    fills_per_s: float
    kappa_per_bps: float
    mark_px: float | None
    ready: bool


class Panel:
    """The touch and the estimators that live on it.

    ``data_ns`` is when the last book or bbo came (None: never); silence is judged by its age.
    """

    __slots__ = (
        "_backlog_due", "_estimates", "_intensity", "_mark_px", "_ready", "_settings",
        "_started_ns", "_tids", "_touch_ms", "_volatility", "ask", "bid", "data_ns",
    )  # fmt: skip

    def __init__(self, settings: StrategySettings, now_ns: int) -> None:
        self._settings = settings
        self._volatility = VolatilityEstimator(settings.sigma_half_life_s)
        self._intensity = IntensityEstimator(
            Intensity(
                fills_per_s=settings.fills_per_s_prior, kappa_per_bps=settings.kappa_prior_per_bps
            )
        )
        self._started_ns = now_ns
        self._touch_ms = 0
        self._tids: dict[int, None] = {}
        self._backlog_due = True
        self._mark_px: float | None = None
        self._ready = False
        self._estimates: Estimates | None = None
        self.bid: Level | None = None
        self.ask: Level | None = None
        self.data_ns: int | None = None

    def on_book(self, book: Book, now_ns: int) -> None:
        """Take the touch of a whole book."""
        bids, asks = book.levels
        self._touch(bids[0] if bids else None, asks[0] if asks else None, book.venue_ms, now_ns)

    def on_bbo(self, bbo: Bbo, now_ns: int) -> None:
        """Take the touch."""
        bid, ask = bbo.bbo
        self._touch(bid, ask, bbo.venue_ms, now_ns)

    def on_ctx(self, ctx: AssetCtx) -> None:
        """Take the venue's mark."""
        self._mark_px = ctx.mark_px
        self._estimates = None

    def on_trades(self, event: Trades) -> None:
        """Count bursts of new prints: the furthest reach of each aggressor side in this block."""
        fresh = [trade for trade in event.trades if self._first_seen(trade)]
        if self._backlog_due:  # the first frame after a subscribe replays old prints
            self._backlog_due = False
            return
        if self.bid is None or self.ask is None or not fresh:
            return
        mid_px = (self.bid.px + self.ask.px) / 2
        reach: dict[Side, float] = {}
        for trade in fresh:
            if trade.time_ms >= self._touch_ms - BACKLOG_MS:
                away_bps = trade.side.sign * (trade.px - mid_px) / mid_px * BPS
                reach[trade.side] = max(reach.get(trade.side, 0.0), away_bps)
        for reach_bps in reach.values():
            self._intensity.burst(reach_bps)
        if reach:
            self._estimates = None

    def gap(self) -> None:
        """The feed broke: its first trades frame will be a replay, its touch is old."""
        self._backlog_due = True
        self.bid = self.ask = None
        self._touch_ms = 0
        self._estimates = None

    def adopt(self, settings: StrategySettings) -> None:
        """New settings: warm-up times count at once; priors and half-lives at the next start."""
        self._settings = settings
        self._estimates = None

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

    def _touch(self, bid: Level | None, ask: Level | None, venue_ms: int, now_ns: int) -> None:
        before_ns, self.data_ns = self.data_ns, now_ns
        if before_ns is not None and now_ns - before_ns > GAP_MAX_NS:
            self._backlog_due = True
        if venue_ms < self._touch_ms:  # a slower channel tells an older story
            return
        self._touch_ms = venue_ms
        self.bid, self.ask = bid, ask
        self._estimates = None
        if bid is None or ask is None or bid.px >= ask.px:
            return
        self._volatility.update((bid.px + ask.px) / 2, now_ns)
        if before_ns is not None and now_ns - before_ns <= GAP_MAX_NS:
            self._intensity.elapse((now_ns - before_ns) / NS_PER_S)

    def _first_seen(self, trade: Trade) -> bool:
        if trade.tid in self._tids:
            return False
        self._tids[trade.tid] = None
        if len(self._tids) > TIDS_KEPT:
            del self._tids[next(iter(self._tids))]
        return True

    def _warm(self, now_ns: int) -> bool:
        if self.bid is None or self.ask is None:
            return False
        if now_ns - self._started_ns >= s_to_ns(self._settings.warmup_max_s):
            return True
        return self._volatility.seen_s >= self._settings.warmup_s

    def _believe(self) -> Estimates | None:
        bid, ask = self.bid, self.ask
        if bid is None or ask is None or bid.px >= ask.px:
            return None
        sigma_bps = self._volatility.sigma_bps
        intensity = self._intensity.intensity
        return Estimates(
            bid_px=bid.px,
            ask_px=ask.px,
            mid_px=(bid.px + ask.px) / 2,
            fair_px=fair_px(bid, ask),
            sigma_bps=SIGMA_PRIOR_BPS if sigma_bps is None else max(sigma_bps, SIGMA_MIN_BPS),
            sigma_known=sigma_bps is not None,
            fills_per_s=intensity.fills_per_s,
            kappa_per_bps=intensity.kappa_per_bps,
            mark_px=self._mark_px,
            ready=self._ready,
        )
