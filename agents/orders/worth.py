"""What a request is worth: how far an order may drift before a better place pays for it.

An order x bps from the distance that the model wants earns less, a second, by about

    h * x^2        h = rate * kappa / 2 * notional,   rate = A * exp(-kappa * distance)

Too near, it is picked off; too far, it trades too seldom. (With c = distance - 1/kappa for all that
a fill costs, A*exp(-kappa*d)*(d - c) is greatest at the wanted distance; this is its curvature.)
The fair price wanders with sigma. Left alone until it is off by D, an order has lost
h*D^4 / (6*sigma^2) of what a fresh one would have earned: the markout that a new place would have
saved and the edge it would have gained, over the life of the order. It is replaced once that is
more than the requests cost, which is also the D at which both together cost least a second:

    D = (6 * requests * price * sigma^2 / h)^(1/4)

Source: quadratic loss with a fixed cost of control, Dixit (1991), 'A simplified treatment of the
theory of optimal regulation of Brownian motion'; over a cycle from 0 to +-D the mean of x^2 is
D^2/6 and the mean length D^2/sigma^2.
"""

import math
from collections.abc import Sequence
from typing import Final

from agents.market.units import BPS

REPLACE_REQUESTS: Final = 2
"""A cancel and a placement; a shell that replaces in one step needs a single one."""
BISECTIONS: Final = 16
EXPONENT_MAX: Final = 50.0


def drift_bps(
    *,
    price_usd: float,
    sigma_bps: float,
    rate_per_s: float,
    kappa_per_bps: float,
    notional_usd: float,
    requests: float = REPLACE_REQUESTS,
) -> float:
    """How far an order may be off before replacing it is worth its requests; 0: they are free.

    ``rate_per_s``: fills at the wanted distance; infinite where no fill is expected at all.
    """
    if price_usd <= 0.0 or sigma_bps <= 0.0:
        return 0.0
    loss = rate_per_s * kappa_per_bps / 2.0 * notional_usd / BPS
    if loss <= 0.0:
        return math.inf
    cost = requests * price_usd
    return float((6.0 * cost * sigma_bps * sigma_bps / loss) ** 0.25)


def near_bps(drift: float, kappa_per_bps: float) -> float:
    """How much of that drift an order may be too near by.

    Fills there come exp(kappa*x) as often, each of them worse: instead of kappa/2*x^2 it loses
    x*exp(kappa*x) - (exp(kappa*x) - 1)/kappa, and the loss over its life is reached sooner.
    """
    if drift <= 0.0 or math.isinf(drift):
        return drift
    wanted = kappa_per_bps / 2.0 * drift**4
    low, high = 0.0, drift
    for _ in range(BISECTIONS):
        near = (low + high) / 2.0
        often = math.exp(min(kappa_per_bps * near, EXPONENT_MAX))
        if (near * often - (often - 1.0) / kappa_per_bps) * near * near > wanted:
            high = near
        else:
            low = near
    return low


def placing_usd(
    *,
    distance_bps: float,
    drift_bps: float,
    sigma_bps: float,
    fills_per_s: float,
    kappa_per_bps: float,
    notional_usd: float,
) -> float:
    """What an order placed now may be expected to earn until it is replaced: rate * life / kappa.

    1/kappa is what a fill at the wanted distance earns beyond its costs; the life is the mean time
    until the fair price is ``drift_bps`` away.
    """
    rate_per_s = fills_per_s * math.exp(-kappa_per_bps * distance_bps)
    life_s = (drift_bps / sigma_bps) ** 2
    return rate_per_s * life_s / kappa_per_bps * notional_usd / BPS


def worth_placing(values_usd: Sequence[float], price_usd: float) -> int:
    """How many levels, best first, are worth a placement; the first always is: it is the market."""
    count = 1
    for value_usd in values_usd[1:]:
        if value_usd <= price_usd:
            break
        count += 1
    return count
