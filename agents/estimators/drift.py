"""What the sizes on both sides foretell of the next seconds: a move beyond the fair price's bound.

The fair price stays within the market's spread; where that is a fraction of a basis point, what the
book foretells is many times as much, and comes while a request is still on its way. One signal,

    x = (b - a) / (b + a)        sizes at the touch and USD within 10 bps, half each,
                                 averaged over ``SMOOTH_S``: its flicker is worth no request

and one coefficient, learned by regression of the mid's move over the next ``HORIZON_MS``, in units
of its own volatility, shrunk to ``BETA_PRIOR`` by ``PRIOR_WEIGHT`` observations' worth:

    y     = move / (sigma * sqrt(horizon))
    beta  = (prior * n0 + sum(w x y)) / (n0 + sum(w x^2))       within [0, BETA_MAX]
    drift = beta * x * sigma * sqrt(horizon)

Antisymmetric: a mirrored market gives the mirrored drift.
Source: order-book imbalance as a predictor, Cartea, Donnelly & Jaimungal (2018); ridge regression.
"""

import math
from collections import deque
from typing import Final

from agents.market.units import BPS, MS_PER_S

HORIZON_MS: Final = 3_000
LATE_MS: Final = 1_000
SAMPLE_MS: Final = 500
SMOOTH_S: Final = 0.5
HALF_LIFE_S: Final = 1_800.0
BETA_PRIOR: Final = 0.25
BETA_MAX: Final = 0.75
PRIOR_WEIGHT: Final = 60.0
PENDING_MAX: Final = 16
ROOT_HORIZON: Final = math.sqrt(HORIZON_MS / MS_PER_S)


class DriftEstimator:
    """``touched`` at every touch; ``drift_bps`` from the newest signal."""

    __slots__ = ("_at_ms", "_beyond", "_pending", "_sampled_ms", "_touch_ms", "_x", "_xx", "_xy")

    def __init__(self) -> None:
        self._pending: deque[tuple[int, float, float]] = deque(maxlen=PENDING_MAX)
        self._beyond: float | None = None
        self._x = 0.0
        self._xx = self._xy = 0.0
        self._at_ms = self._sampled_ms = self._touch_ms = 0

    def rests(self, bids_usd: float, asks_usd: float) -> None:
        """What a whole book shows near the touch."""
        total = bids_usd + asks_usd
        self._beyond = (bids_usd - asks_usd) / total if total > 0 else None

    def touched(
        self, mid_px: float, bid_sz: float, ask_sz: float, at_ms: int, sigma_bps: float | None
    ) -> None:
        """A touch: what was foretold three seconds ago is judged, then a new sample taken."""
        pending = self._pending
        while pending and pending[0][0] <= at_ms:
            due_ms, x, then_px = pending.popleft()
            if at_ms - due_ms <= LATE_MS and sigma_bps:
                move = math.log(mid_px / then_px) * BPS / (sigma_bps * ROOT_HORIZON)
                self._learn(x, min(max(move, -4.0), 4.0), at_ms)
        total = bid_sz + ask_sz
        if total > 0:
            touch = (bid_sz - ask_sz) / total
            x = touch if self._beyond is None else (touch + self._beyond) / 2
            passed_s = (at_ms - self._touch_ms) / MS_PER_S
            fresh = 1.0 - 0.5 ** (passed_s / SMOOTH_S) if self._touch_ms else 1.0
            self._touch_ms = at_ms
            self._x += fresh * (x - self._x)
            if at_ms - self._sampled_ms >= SAMPLE_MS:
                self._sampled_ms = at_ms
                pending.append((at_ms + HORIZON_MS, self._x, mid_px))

    def drift_bps(self, sigma_bps: float) -> float:
        """What the mid is expected to do over the next three seconds."""
        return self.beta * self._x * sigma_bps * ROOT_HORIZON

    @property
    def beta(self) -> float:
        """Of a move in its own standard deviations on the signal."""
        found = (BETA_PRIOR * PRIOR_WEIGHT + self._xy) / (PRIOR_WEIGHT + self._xx)
        return min(max(found, 0.0), BETA_MAX)

    def restart(self) -> None:
        """After a gap: nothing foretold is judged by what comes after it."""
        self._pending.clear()
        self._beyond = None
        self._x = 0.0
        self._sampled_ms = self._touch_ms = 0

    def _learn(self, x: float, y: float, at_ms: int) -> None:
        if self._at_ms and at_ms > self._at_ms:
            decay = 0.5 ** ((at_ms - self._at_ms) / (MS_PER_S * HALF_LIFE_S))
            self._xx *= decay
            self._xy *= decay
        self._at_ms = at_ms
        self._xx += x * x
        self._xy += x * y
