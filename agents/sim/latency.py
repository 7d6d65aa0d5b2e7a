"""How long the way takes: to the venue, back with the answer, and for what it tells everybody."""

from typing import Final

import msgspec

from agents.market.units import MS_PER_S
from agents.sim.flow_price import Chance

ACK_MS: Final = 250.0
FEED_MS: Final = 100.0
JITTER_SHARE: Final = 0.3


class Latency(msgspec.Struct, frozen=True):
    """``ack``: request and answer together, ms; ``feed``: until a block's data arrive, ms;
    ``jitter``: standard deviation of the logarithm of each delay. All zero: no delay at all.
    """

    ack: float = ACK_MS
    feed: float = FEED_MS
    jitter: float = JITTER_SHARE


class Delays:
    """Draws one delay at a time; equal seeds and calls, equal delays. Order is the caller's."""

    def __init__(self, latency: Latency, chance: Chance) -> None:
        self._latency = latency
        self._chance = chance

    def request_s(self) -> float:
        """From the client to the block that runs its action."""
        return self._draw(0.5 * self._latency.ack)

    def answer_s(self) -> float:
        """From the block back to the client."""
        return self._draw(0.5 * self._latency.ack)

    def feed_s(self) -> float:
        """From the block to a subscriber."""
        return self._draw(self._latency.feed)

    def _draw(self, median_ms: float) -> float:
        if median_ms <= 0.0:
            return 0.0
        return median_ms / MS_PER_S * self._chance.lognormvariate(0.0, self._latency.jitter)
