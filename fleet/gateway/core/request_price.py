"""What a request costs the fleet: a price up to the venue's own, and a pace beyond it.

What is left is to last half a day, whatever is earned: allowed = earned + bought + left / 12 h.
Where more is spent the fleet tightens, where less it loosens; ``tightness`` 0 to 1 is the price,
four decades up to what the venue asks for a bought request; beyond 1 fewer levels are kept up and
each side waits between placements, until 2. It begins at 1: an account that is rich is known to be
so within minutes, one that is poor would be empty by then.

The weight of an IP is held to a share of its minute in the same way, by a governor of its own that
begins at 0 and is quick: what is not spent there is not kept. Whichever is scarcer counts.
"""

import math
from typing import Final

import msgspec

PRICE_MAX_USD: Final = 0.0005
"""What ``reserveRequestWeight`` asks for one (protocol 3.9)."""
DECADES: Final = 4.0
HORIZON_H: Final = 12.0
TIGHTEN_S: Final = 120.0
LOOSEN_S: Final = 300.0
WEIGHT_SHARE: Final = 0.6
"""Of the IP's minute: beyond, requests are refused at the door as it comes, not by their worth."""
WEIGHT_TIGHTEN_S: Final = 30.0
WEIGHT_LOOSEN_S: Final = 120.0
YOUNG_S: Final = 60.0
"""Before that nobody knows what is earned: the price is at its cap, and no pace is kept."""
STEP_MAX: Final = 2.0
TIGHTNESS_MAX: Final = 2.0
LEVELS_LEAST: Final = 0.2
PACE_MAX_S: Final = 900.0
PACE_MIN_S: Final = 1.0
REQUESTS_A_ROUND: Final = 4
"""Both sides of a market, cancelled and placed."""


class Seen(msgspec.Struct, frozen=True):
    """``free``: actions left beyond the reserve; rates an hour."""

    free: int
    spent_per_h: float
    earned_per_h: float
    bought_per_h: float
    markets: int


class Terms(msgspec.Struct, frozen=True):
    """What agents are told. ``pace_s``: the least time between two placements of a side;
    ``levels_share``: of the levels that are kept up.
    """

    request_usd: float
    pace_s: float
    levels_share: float


FREE: Final = Terms(request_usd=0.0, pace_s=0.0, levels_share=1.0)


class Governor:
    """Holds spending to what is allowed."""

    def __init__(
        self,
        *,
        tightness: float = 1.0,
        tighten_s: float = TIGHTEN_S,
        loosen_s: float = LOOSEN_S,
    ) -> None:
        self.tightness = tightness
        self._tighten_s = tighten_s
        self._loosen_s = loosen_s
        self._seen_ms: int | None = None
        self._young_until_ms: float | None = None

    def step(self, seen: Seen, now_ms: int) -> Terms:
        """The terms of the account's allowance from now on; call it about once a second."""
        return self.hold(seen.spent_per_h, allowed_per_h(seen), seen.markets, now_ms)

    def hold(self, spent_per_h: float, allowed: float, markets: int, now_ms: int) -> Terms:
        """The terms under which ``spent_per_h`` comes to ``allowed`` (an hour)."""
        since_s = 0.0 if self._seen_ms is None else (now_ms - self._seen_ms) / 1_000.0
        self._seen_ms = now_ms
        wrong = math.log(max(spent_per_h, 1e-3) / allowed)
        wrong = min(max(wrong, -STEP_MAX), STEP_MAX)
        self.tightness += wrong * since_s / (self._tighten_s if wrong > 0 else self._loosen_s)
        if self._young_until_ms is None:
            self._young_until_ms = now_ms + YOUNG_S * 1_000.0
        most = 1.0 if now_ms < self._young_until_ms else TIGHTNESS_MAX
        self.tightness = min(max(self.tightness, 0.0), most)
        return terms(self.tightness, allowed, markets)


def of_weight() -> Governor:
    """The governor of an IP's weight."""
    return Governor(tightness=0.0, tighten_s=WEIGHT_TIGHTEN_S, loosen_s=WEIGHT_LOOSEN_S)


def scarcer(one: Terms, other: Terms) -> Terms:
    """Both at once."""
    return Terms(
        request_usd=max(one.request_usd, other.request_usd),
        pace_s=max(one.pace_s, other.pace_s),
        levels_share=min(one.levels_share, other.levels_share),
    )


def allowed_per_h(seen: Seen) -> float:
    """What may be spent an hour so that what is free lasts the horizon."""
    return max(seen.earned_per_h + seen.bought_per_h + max(seen.free, 0) / HORIZON_H, 1.0)


def terms(tightness: float, allowed: float, markets: int) -> Terms:
    """Price, pace and levels of a tightness."""
    if tightness <= 0.0:
        return FREE
    price_usd = PRICE_MAX_USD * 10.0 ** (DECADES * (min(tightness, 1.0) - 1.0))
    beyond = tightness - 1.0
    if beyond <= 0.0:
        return Terms(request_usd=price_usd, pace_s=0.0, levels_share=1.0)
    pace_s = beyond * REQUESTS_A_ROUND * max(markets, 1) * 3_600.0 / allowed
    return Terms(
        request_usd=price_usd,
        pace_s=min(max(pace_s, PACE_MIN_S), PACE_MAX_S),
        levels_share=1.0 - (1.0 - LEVELS_LEAST) * beyond,
    )
