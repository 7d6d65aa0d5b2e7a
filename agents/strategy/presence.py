"""What it takes to be in the market: how near the mid a clip must rest to count as quoting.

Uptime counts what rests within ``band_bps`` of the mid. The wanted first level and the tolerance of
a resting one keep apart from that edge, for the mid moves while a request is on its way.
"""

import math
from typing import Final

BAND_SHARE: Final = 2.0  # of the half-spread
BAND_MAX_BPS: Final = 10.0
WANTED_SHARE: Final = 0.55  # of the band
MODEL_SHARE: Final = 0.5
NEAR_SHARE: Final = 0.35
ASIDE_SHARE: Final = 0.7
JUMP_SIGMAS: Final = 3.3
ASIDE_SLACK_SHARE: Final = 0.65
KEPT_SLACK_SHARE: Final = 0.4
TRIPS: Final = 3.0  # the news in, the order out, the answer back
RETREAT_SHARE: Final = 0.75
KEPT_SHARE: Final = 0.9
KEPT_LEAST_SHARE: Final = 0.6
KEPT_RATIO: Final = 1.4  # of the distance: an order is not moved for next to nothing
PATIENT_SHARE_MAX: Final = 0.2  # of the limit; up to both a reducing fill must pay its fee
PATIENT_CLIPS_MAX: Final = 2.0
INVENTORY_SHARE_MAX: Final = 0.5  # of the limit; beyond it the skew alone decides


def band_bps(half_spread_bps: float) -> float:
    """Within this distance of the mid a clip counts."""
    return min(BAND_SHARE * half_spread_bps, BAND_MAX_BPS)


def wanted_max_bps(half_spread_bps: float) -> float:
    """The furthest that skew moves the first level of the side that adds; never below the
    half-spread itself. The levels behind it keep their whole skew.
    """
    return max(WANTED_SHARE * band_bps(half_spread_bps), half_spread_bps)


def slack_bps(*, sigma_bps: float, latency_s: float) -> float:
    """How far the mid may well have gone before an order that follows it is known to rest."""
    return JUMP_SIGMAS * sigma_bps * math.sqrt(TRIPS * latency_s)


def model_max_bps(quoted_max_bps: float, slack: float) -> float:
    """The widest that beliefs alone (not floors) may make the first level: with the usual ratio
    the second level then still counts, and where the mid jumps the first one does after a jump.
    """
    nearest_bps = NEAR_SHARE * quoted_max_bps
    return max(min(MODEL_SHARE * quoted_max_bps, quoted_max_bps - slack), nearest_bps)


def aside_max_bps(quoted_max_bps: float, slack: float) -> float:
    """The furthest that an expected move takes the first level of the side that it runs into; it
    comes nearer of itself if the move does come.
    """
    furthest_bps = min(ASIDE_SHARE * quoted_max_bps, quoted_max_bps - ASIDE_SLACK_SHARE * slack)
    return max(furthest_bps, model_max_bps(quoted_max_bps, slack))


def retreat_max_bps(half_spread_bps: float) -> float:
    """The furthest from the mid that an expected move takes the first level."""
    return max(RETREAT_SHARE * band_bps(half_spread_bps), half_spread_bps)


def kept_max_bps(
    half_spread_bps: float, slack: float = 0.0, *, wanted_bps: float | None = None
) -> float:
    """The furthest from the mid that a resting first order may be left, if it is wanted nearer:
    at ``wanted_bps``, where that is less than the half-spread which the band is made of.
    """
    wanted_bps = half_spread_bps if wanted_bps is None else wanted_bps
    band = band_bps(half_spread_bps)
    furthest_bps = KEPT_SHARE * band
    least_bps = min(max(KEPT_LEAST_SHARE * band, KEPT_RATIO * wanted_bps), furthest_bps)
    return max(min(furthest_bps, band - KEPT_SLACK_SHARE * slack), least_bps)
