"""A market made of the model itself, to judge a quoting rule by: flow, quotes, fills, nothing else.

Each second the mid diffuses, and on each side takers come as a Poisson process of rate A, each
reaching an exponential distance of mean 1/kappa: whoever rests nearer is filled. A share of them is
informed: after it traded the mid moves its way. All in bps and clips; one step is one second.
"""

import math
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from agents.skew import Flow, Problem
from agents.strategy.exact import solve
from agents.strategy.glft import glft

FEE_BPS: Final = 1.5
LIMIT: Final = 10
MINUTE_S: Final = 60
MOVED_SHARE: Final = 0.25


class Chance(Protocol):
    """What a seeded ``random.Random`` offers."""

    def random(self) -> float: ...
    def gauss(self, mu: float, sigma: float) -> float: ...
    def expovariate(self, lambd: float) -> float: ...


class Model(msgspec.Struct, frozen=True):
    """A per side in 1/s, kappa in 1/bps, sigma in bps/sqrt(s); informed takers move the mid."""

    fills_per_s: float = 0.6
    kappa_per_bps: float = 0.3
    sigma_bps: float = 1.0
    informed_share: float = 0.0
    informed_bps: float = 6.0


class Outcome(msgspec.Struct, frozen=True):
    """Bps of one clip. ``ratio``: mean over deviation of the P&L of a minute, with its error."""

    fills: int
    pnl_bps: float
    pnl_a_fill_bps: float
    minute_mean_bps: float
    minute_sd_bps: float
    ratio: float
    ratio_se: float
    limit_share: float
    requests_a_fill: float


Distances = Sequence[tuple[float, float]]
"""Of bid and ask, fee included, by clips held from -LIMIT to LIMIT."""


def optimal(model: Model, *, risk_aversion: float = 0.3) -> Distances:
    """The exact GLFT distances for these parameters."""
    flow = Flow(model.fills_per_s, model.kappa_per_bps)
    table = solve(Problem(model.sigma_bps, flow, flow, risk_aversion, LIMIT))
    spread = glft(
        sigma_bps=model.sigma_bps,
        kappa_per_bps=model.kappa_per_bps,
        fills_per_s=model.fills_per_s,
        risk_aversion=risk_aversion,
    )

    def distance(clips: int, sign: int) -> float:
        exact = table.correction_bps(clips, sign=sign, skew_bps=spread.skew_bps)
        return FEE_BPS + spread.distance_bps(clips, sign=sign) + exact

    return [(distance(q, 1), distance(q, -1)) for q in range(-LIMIT, LIMIT + 1)]


def symmetric(model: Model, *, risk_aversion: float = 0.3) -> Distances:
    """GLFT's half-spread without its skew."""
    flat = optimal(model, risk_aversion=risk_aversion)[LIMIT]
    return [flat] * (2 * LIMIT + 1)


def fixed(half_spread_bps: float) -> Distances:
    """The same distance, whatever the market."""
    return [(half_spread_bps, half_spread_bps)] * (2 * LIMIT + 1)


def fitted(model: Model, chance: Chance, *, watched_s: int = 3_600) -> Model:
    """What an hour of watching teaches: A and kappa by likelihood, sigma by realised variance."""
    count, reach, squares = 0, 0.0, 0.0
    for _ in range(watched_s):
        squares += chance.gauss(0.0, model.sigma_bps) ** 2
        for _ in range(_arrivals(2 * model.fills_per_s, chance)):
            count += 1
            reach += chance.expovariate(model.kappa_per_bps)
    return msgspec.structs.replace(
        model,
        fills_per_s=max(count, 1) / (2 * watched_s),
        kappa_per_bps=max(count, 1) / max(reach, 1e-9),
        sigma_bps=math.sqrt(squares / watched_s),
    )


def play(model: Model, distances: Distances, chance: Chance, *, seconds: int) -> Outcome:
    """So many seconds of it; equal chances, equal outcomes."""
    mid = cash = before = 0.0
    held = fills = at_limit = requests = 0
    resting = distances[LIMIT]
    minutes: list[float] = []
    for second in range(1, seconds + 1):
        mid += chance.gauss(0.0, model.sigma_bps)
        if abs(held) == LIMIT:
            at_limit += 1
        wanted = distances[held + LIMIT]
        requests += _moved(resting, wanted, model.sigma_bps)
        resting = wanted
        for sign, distance in ((1, wanted[0]), (-1, wanted[1])):
            for _ in range(_arrivals(model.fills_per_s, chance)):
                reach = chance.expovariate(model.kappa_per_bps)
                informed = chance.random() < model.informed_share
                if reach >= distance and abs(held + sign) <= LIMIT:
                    held += sign
                    cash -= sign * (mid - sign * distance) + FEE_BPS
                    fills += 1
                if informed:
                    mid -= sign * model.informed_bps
        if second % MINUTE_S == 0:
            now = cash + held * mid
            minutes.append(now - before)
            before = now
    return _outcome(minutes, fills, cash + held * mid, at_limit / seconds, requests)


def _arrivals(rate: float, chance: Chance) -> int:
    """Poisson, by exponential gaps within the second."""
    count, at = 0, chance.expovariate(rate)
    while at < 1.0:
        count += 1
        at += chance.expovariate(rate)
    return count


def _moved(resting: tuple[float, float], wanted: tuple[float, float], sigma_bps: float) -> int:
    """Orders to send again: the mid's own move, or the skew's, beyond what is let pass."""
    return sum(
        sigma_bps + abs(one - other) > MOVED_SHARE * abs(other)
        for one, other in zip(resting, wanted, strict=True)
    )


def _outcome(
    minutes: list[float], fills: int, pnl: float, limit_share: float, requests: int
) -> Outcome:
    count = len(minutes)
    mean = math.fsum(minutes) / count
    sd = math.sqrt(math.fsum((x - mean) ** 2 for x in minutes) / (count - 1))
    ratio = mean / sd if sd else 0.0
    return Outcome(
        fills=fills,
        pnl_bps=pnl,
        pnl_a_fill_bps=pnl / fills if fills else 0.0,
        minute_mean_bps=mean,
        minute_sd_bps=sd,
        ratio=ratio,
        ratio_se=math.sqrt((1 + ratio * ratio / 2) / count),
        limit_share=limit_share,
        requests_a_fill=requests / fills if fills else 0.0,
    )
