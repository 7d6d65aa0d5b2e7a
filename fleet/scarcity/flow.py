"""Markets made of a few numbers: how the fair price wanders, and who trades against quotes.

Fixed, so that days compare: a second's path and its market orders depend on seed and market alone,
never on what is quoted. Prices are bps from where the day began.
"""

import random
from typing import Final, NamedTuple

import msgspec

DAY_S: Final = 86_400


class Flow(msgspec.Struct, frozen=True):
    """``sigma_bps`` bps/sqrt(s). Market orders of one side that reach d bps from the fair price
    come at ``fills_per_s * exp(-kappa_per_bps * d)`` a second, of which ``share`` is ours; each
    moves the fair price by ``impact_bps`` its way.
    """

    name: str
    sigma_bps: float
    fills_per_s: float
    kappa_per_bps: float
    impact_bps: float
    share: float = 0.1


KINDS: Final = (
    Flow("BTC", 0.46, 0.170, 1.69, 0.3),
    Flow("ETH", 1.30, 0.368, 1.18, 0.4),
    Flow("SOL", 0.97, 0.588, 2.28, 0.2),
    Flow("WLFI", 1.20, 0.113, 0.58, 0.9),
    Flow("thin", 0.50, 0.040, 1.00, 0.5),
)
"""A and kappa as the recordings have them (docs/estimators.md), sigma about the root of the mid's
squared move in a second, WLFI's without the bounce of its wide touch; ``thin`` is made up: a HIP-3
market that hardly trades.
"""


class Taker(NamedTuple):
    """A market order: ``sign`` +1 buys (from our asks); how far it reaches, how many clips."""

    sign: int
    reach_bps: float
    clips: int


class Path(msgspec.Struct, frozen=True):
    """A second each: the fair price, and the market orders that came before it was reached."""

    fair_bps: list[float]
    takers: dict[int, list[Taker]]


def draw(flow: Flow, seed: str, seconds: int = DAY_S) -> Path:
    """One market's day."""
    rng = random.Random(seed)
    rate, both = flow.fills_per_s * flow.share, 2.0 * flow.fills_per_s
    fair, at_bps = [0.0], 0.0
    takers: dict[int, list[Taker]] = {}
    due_s = rng.expovariate(both)
    for second in range(1, seconds):
        at_bps += rng.gauss(0.0, flow.sigma_bps)
        while due_s < second:
            sign = 1 if rng.random() < 0.5 else -1
            at_bps += sign * flow.impact_bps
            if rng.random() < rate / flow.fills_per_s:
                clips = 1 + int(rng.expovariate(0.7))
                reach = rng.expovariate(flow.kappa_per_bps)
                takers.setdefault(second, []).append(Taker(sign, reach, clips))
            due_s += rng.expovariate(both)
        fair.append(at_bps)
    return Path(fair_bps=fair, takers=takers)
