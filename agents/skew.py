"""The exact skew as a value: what is to be solved, and what came out; solved off the tick path."""

from typing import Final

import msgspec

CLIPS_MAX: Final = 60
NEAR_SHARE: Final = 0.2


class Flow(msgspec.Struct, frozen=True, gc=False):
    """Who trades against one side of ours: ``rate(d) = fills_per_s * exp(-kappa_per_bps * d)``."""

    fills_per_s: float
    kappa_per_bps: float


class Problem(msgspec.Struct, frozen=True, gc=False):
    """What is solved: equal problems, equal tables. ``clips_max``: the limit Q in clips."""

    sigma_bps: float
    bid: Flow
    ask: Flow
    risk_aversion: float
    clips_max: int


class SkewTable(msgspec.Struct, frozen=True, gc=False):
    """What the exact distances are beyond the closed form's, by clips held from -Q to Q, in bps.

    The bid at Q and the ask at -Q do not exist and repeat their neighbours' step. ``skew_bps``: the
    closed form's for this problem; corrections scale with it, so that a table solved for about the
    same parameters serves.
    """

    problem: Problem
    bid_bps: tuple[float, ...]
    ask_bps: tuple[float, ...]
    skew_bps: float

    def correction_bps(self, inventory_clips: float, *, sign: int, skew_bps: float) -> float:
        """For a market whose closed skew is ``skew_bps``; between whole clips linearly, beyond the
        limit as at the limit.
        """
        column = self.bid_bps if sign > 0 else self.ask_bps
        last = len(column) - 1
        at = min(max(inventory_clips + last / 2, 0.0), float(last))
        index = min(int(at), last - 1)
        share = at - index
        found = column[index] * (1.0 - share) + column[index + 1] * share
        return found * (skew_bps / self.skew_bps) if self.skew_bps > 0 else found

    def serves(self, problem: Problem) -> bool:
        """Whether it is near enough: the same limit, and no parameter off by more than a fifth."""
        mine = self.problem
        if mine.clips_max != problem.clips_max:
            return False
        pairs = (
            (mine.sigma_bps, problem.sigma_bps),
            (mine.risk_aversion, problem.risk_aversion),
            (mine.bid.kappa_per_bps, problem.bid.kappa_per_bps),
            (mine.ask.kappa_per_bps, problem.ask.kappa_per_bps),
            (mine.bid.fills_per_s, problem.bid.fills_per_s),
            (mine.ask.fills_per_s, problem.ask.fills_per_s),
        )
        return all(abs(one - other) <= NEAR_SHARE * one for one, other in pairs)
