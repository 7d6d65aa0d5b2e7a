"""Everything that public bursts teach: intensity, flow, markouts, excitement, cascades, hours."""

from typing import Final

from agents.estimators.cascade import CascadeEstimator
from agents.estimators.fair import FlowSignal
from agents.estimators.hawkes import HawkesEstimator
from agents.estimators.intensity import Intensity, IntensityEstimator
from agents.estimators.markout import MarkoutEstimator
from agents.estimators.prints import Burst, Prints
from agents.estimators.seasonality import SeasonalityEstimator
from agents.estimators.toxicity import ToxicityEstimator
from agents.events import Trades

WAITING_MAX: Final = 256


class Trading:
    """One market's public trading. ``watched`` tells time, ``on_trades`` the bursts."""

    __slots__ = (
        "_waiting_s",
        "cascade",
        "hawkes",
        "intensity",
        "markouts",
        "prints",
        "seasonality",
        "toxicity", "waiting",
    )  # fmt: skip

    def __init__(self, prior: Intensity) -> None:
        self.prints = Prints()
        self.intensity = IntensityEstimator(prior)
        self.markouts = MarkoutEstimator()
        self.toxicity = ToxicityEstimator()
        self.hawkes = HawkesEstimator()
        self.cascade = CascadeEstimator()
        self.seasonality = SeasonalityEstimator()
        self._waiting_s = 0.0
        self.waiting: list[Burst] = []

    def watched(self, dt_s: float) -> None:
        """So much event time passed under watch; kept until it matters."""
        self._waiting_s += dt_s

    def settle(self, at_ms: int) -> None:
        """Give the time watched to those who count it."""
        dt_s, self._waiting_s = self._waiting_s, 0.0
        if dt_s > 0:
            self.intensity.elapse(dt_s)
            self.seasonality.elapse(at_ms, dt_s)
        self.hawkes.elapse(at_ms)

    def on_trades(self, event: Trades) -> bool:
        """Take what is new in a frame; True once so much waits that it should be learned now."""
        self.waiting += self.prints.bursts(event.trades)
        return len(self.waiting) > WAITING_MAX

    def learn(self, flow: FlowSignal) -> None:
        """Everyone takes the bursts that wait. The next touch calls it: a frame of trades is read
        at once, for its mid is known then, but who learns from it can wait for some milliseconds.
        """
        bursts, self.waiting = self.waiting, []
        for burst in bursts:
            side, sign, usd, at_ms = burst.side, burst.side.sign, burst.usd, burst.at_ms
            if self._waiting_s > 0:
                self.settle(at_ms)
            self.intensity.burst(burst.reach_bps, side.opposite)
            self.markouts.traded(side.opposite, burst.mid_px, at_ms)
            self.toxicity.update(sign, usd, at_ms)
            self.hawkes.update(at_ms)
            self.cascade.update(sign, usd, at_ms)
            self.seasonality.update(at_ms)
            flow.update(sign, usd, at_ms)

    def restart(self) -> None:
        """After a gap: nothing spans it."""
        self._waiting_s = 0.0
        self.waiting = []
        self.prints.gap()
        self.markouts.restart()
        self.toxicity.restart()
        self.hawkes.restart()
        self.cascade.restart()
