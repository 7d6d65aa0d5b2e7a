"""The stationary maker with a position limit, solved exactly: what the closed form approximates.

The value theta(q) of holding q clips, in bps a clip, and the long-run gain g satisfy

    g = -gamma*sigma^2*q^2/2 + h_b*exp(-kappa_b*p_b(q)) + h_a*exp(-kappa_a*p_a(q))
    p_b(q) = theta(q) - theta(q+1)      p_a(q) = theta(q) - theta(q-1)
    h_s    = (A_s/kappa_s) * (1 + gamma/kappa_s)^-(1 + kappa_s/gamma)

for q = -Q..Q; at q = Q there is no bid term, at -Q no ask term. The optimal distances are
``p_s(q) + c_s`` (``glft``). With equal kappas exp(kappa*theta) is the eigenvector to the smallest
eigenvalue of a tridiagonal matrix, as in the paper; here the sides may differ, so the chain is
solved as a continued fraction from both ends, and g is what makes them meet at q = 0: their misfit
rises with g, so a bracket closes on it. Plain arithmetic, no iteration over states.
Source: Guéant, Lehalle & Fernandez-Tapia (2013), section 3; Guéant (2017), section 3.
"""

import math
from collections.abc import Callable
from typing import Final

from agents.skew import CLIPS_MAX, Flow, Problem, SkewTable
from agents.strategy.glft import glft_sides

ROUNDS_MAX: Final = 80
NEAR: Final = 1e-13


def solve(problem: Problem) -> SkewTable:
    """The optimal distances at each inventory, fee not included."""
    assert 1 <= problem.clips_max <= CLIPS_MAX
    assert problem.sigma_bps >= 0
    bid, ask, limit = problem.bid, problem.ask, problem.clips_max
    gamma = problem.risk_aversion * (bid.kappa_per_bps + ask.kappa_per_bps) / 2
    cost = [gamma * problem.sigma_bps**2 * q * q / 2 for q in range(limit + 1)]
    bid_edge, bid_gain = _earned(bid, gamma)
    ask_edge, ask_gain = _earned(ask, gamma)
    low, high = 0.0, bid_gain + ask_gain
    # No inventory risk and no limit would earn bid_gain + ask_gain at most at equal kappas; with
    # unequal ones the tilt may earn more.
    while _misfit(high, cost, bid_gain, ask_gain, bid, ask) < 0:
        low, high = high, 2 * high
    high = _root(lambda gain: _misfit(gain, cost, bid_gain, ask_gain, bid, ask), low=low, high=high)
    up = _chain(high, cost, ask_gain, bid_gain, ask.kappa_per_bps, bid.kappa_per_bps)
    down = _chain(high, cost, bid_gain, ask_gain, bid.kappa_per_bps, ask.kappa_per_bps)
    # Steps theta(q+1) - theta(q) for q = -Q..Q-1: from below as the bids' chain found them, from
    # above as the asks' chain did.
    steps = [*down, *(-step for step in reversed(up))]
    bid_bps = [bid_edge - step for step in steps]
    ask_bps = [ask_edge + step for step in steps]
    bid_bps.append(2 * bid_bps[-1] - bid_bps[-2])
    ask_bps.insert(0, 2 * ask_bps[0] - ask_bps[1])
    closed = glft_sides(
        sigma_bps=problem.sigma_bps, bid=bid, ask=ask, risk_aversion=problem.risk_aversion
    )
    clips = range(-limit, limit + 1)
    return SkewTable(
        problem=problem,
        bid_bps=tuple(
            exact - closed.distance_bps(q, sign=1) for q, exact in zip(clips, bid_bps, strict=True)
        ),
        ask_bps=tuple(
            exact - closed.distance_bps(q, sign=-1) for q, exact in zip(clips, ask_bps, strict=True)
        ),
        skew_bps=closed.skew_bps,
    )


def _earned(flow: Flow, gamma: float) -> tuple[float, float]:
    """``c`` in bps, and ``h`` in bps/s."""
    kappa = flow.kappa_per_bps
    log1p = math.log1p(gamma / kappa)
    return log1p / gamma, flow.fills_per_s / kappa * math.exp(-(1 + kappa / gamma) * log1p)


def _root(misfit: Callable[[float], float], *, low: float, high: float) -> float:
    """Where a rising function crosses zero, from above: false position, Illinois variant.

    While the lower end has no value of its own (the gain is too small to make a chain) the bracket
    is halved.
    """
    low_misfit, high_misfit = -math.inf, misfit(high)
    for _ in range(ROUNDS_MAX):
        if high - low <= NEAR * high or high_misfit == 0:
            break
        if math.isinf(low_misfit):
            gain = (low + high) / 2
        else:
            gain = high - high_misfit * (high - low) / (high_misfit - low_misfit)
        found = misfit(gain)
        if found < 0:
            low, low_misfit, high_misfit = gain, found, high_misfit / 2
        else:
            high, high_misfit, low_misfit = gain, found, low_misfit / 2
    return high


def _chain(
    gain: float, cost: list[float], out_gain: float, back_gain: float, out: float, back: float
) -> list[float]:
    """From the limit inwards: at each inventory the step towards zero that the equation leaves.

    At the limit only the fills that lead inwards (``out``) pay; one clip further in, those that
    lead back (``back``) pay too. ``inf`` where the gain is too small to leave anything.
    """
    steps: list[float] = []
    paid = 0.0
    for q in range(len(cost) - 1, 0, -1):
        left = gain + cost[q] - paid
        if left <= 0:
            return []
        step = math.log(left / out_gain) / out
        steps.append(step)
        paid = back_gain * math.exp(-back * step)
    return steps


def _misfit(
    gain: float, cost: list[float], bid_gain: float, ask_gain: float, bid: Flow, ask: Flow
) -> float:
    """Gain less what both sides pay at no inventory; negative while the gain is too small."""
    down = _chain(gain, cost, bid_gain, ask_gain, bid.kappa_per_bps, ask.kappa_per_bps)
    up = down
    if bid != ask:
        up = _chain(gain, cost, ask_gain, bid_gain, ask.kappa_per_bps, bid.kappa_per_bps)
    if not down or not up:
        return -math.inf
    # The step into zero from below is theta(0) - theta(-1): what an ask gives up there, reversed.
    asks = ask_gain * math.exp(-ask.kappa_per_bps * down[-1])
    bids = bid_gain * math.exp(-bid.kappa_per_bps * up[-1])
    return gain - asks - bids
