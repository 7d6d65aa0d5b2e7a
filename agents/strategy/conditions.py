"""What the strategy asks of the moment beyond price, volatility and intensity."""

from typing import Final, Literal

import msgspec

from agents.estimators.carry import funding_drift_bps
from agents.estimators.estimates import Estimates, SideMarkouts
from agents.estimators.regime import Regime
from agents.estimators.volatility import Volatility
from agents.market.units import MS_PER_S

Level = Literal["low", "normal", "high", "extreme"]
S_PER_H: Final = 3_600
HOURS_A_DAY: Final = 24
_REGIMES: Final[dict[Regime, Level]] = {
    Regime.LOW: "low",
    Regime.NORMAL: "normal",
    Regime.HIGH: "high",
    Regime.EXTREME: "extreme",
}


class Conditions(msgspec.Struct, frozen=True, gc=False):
    """Facts of this moment; the defaults are a calm market of which nothing else is known.

    ``adverse_bid_bps``, ``adverse_ask_bps``: how far the mid goes against a maker after a trade
    that reached that side; ``adverse_se_bps`` the standard error of either. ``drift_bps``: what
    the mid is expected to do beyond the fair price's bound. ``threat``: +1 prices run up (asks are
    endangered), -1 down; ``threat_share`` how badly. ``volatility_ratio`` fast over slow sigma,
    ``jump_ratio`` realised over bipower variance, ``excitement_ratio`` flow over its mean.
    ``depth_usd``: near the touch, the thinner side; ``depth_ratio`` over its usual (1: usual).
    ``warm_share``: how much of the warm-up is done; ``hour`` UTC, None where time is not told.
    ``widen_bid_bps``, ``widen_ask_bps``: how far risk wants the side to stand back.
    """

    regime: Level = "normal"
    adverse_bid_bps: float = 0.0
    adverse_ask_bps: float = 0.0
    adverse_se_bps: float = 0.0
    drift_bps: float = 0.0
    funding_bps: float = 0.0
    toxicity_share: float = 0.0
    threat: int = 0
    threat_share: float = 0.0
    volatility_ratio: float = 1.0
    jump_ratio: float = 1.0
    excitement_ratio: float = 1.0
    depth_usd: float | None = None
    depth_ratio: float = 1.0
    season_ratio: float = 1.0
    warm_share: float = 1.0
    hour: int | None = None
    widen_bid_bps: float = 0.0
    widen_ask_bps: float = 0.0


CALM: Final = Conditions()


def hour_utc(now_ms: int) -> int:
    """The hour of the UTC day."""
    return now_ms // (MS_PER_S * S_PER_H) % HOURS_A_DAY


def conditions_of(estimates: Estimates, *, now_ms: int, holding_s: float) -> Conditions:
    """What the estimates say of this moment; funding as the drift over the time a clip is held."""
    beliefs = estimates.beliefs
    if beliefs is None:
        return Conditions(drift_bps=estimates.drift_bps, hour=hour_utc(now_ms))
    bid_bps, bid_se_bps = _adverse(beliefs.public_bid)
    ask_bps, ask_se_bps = _adverse(beliefs.public_ask)
    share, sign = 0.0, 0
    for each in (beliefs.momentum, beliefs.cascade):
        if each is not None and each.side is not None:
            threat = each.severity_share, each.side.sign
            share, sign = threat if not sign else max((share, sign), threat)
    funding, regime = beliefs.funding_per_h, beliefs.regime
    depth = beliefs.depth_usd
    return Conditions(
        regime="normal" if regime is None else _REGIMES[regime],
        adverse_bid_bps=bid_bps,
        adverse_ask_bps=ask_bps,
        adverse_se_bps=max(bid_se_bps, ask_se_bps),
        drift_bps=estimates.drift_bps,
        funding_bps=0.0 if funding is None else funding_drift_bps(funding, held_s=holding_s),
        toxicity_share=beliefs.toxicity_share or 0.0,
        threat=-sign,
        threat_share=share,
        volatility_ratio=_ratio(beliefs.fast, beliefs.slow),
        jump_ratio=1.0 if beliefs.medium is None else beliefs.medium.jump_ratio,
        excitement_ratio=1.0 if beliefs.excitement is None else beliefs.excitement.ratio,
        depth_usd=None if depth is None else min(depth),
        depth_ratio=beliefs.depth_ratio,
        season_ratio=beliefs.busy_share,
        warm_share=estimates.warm_share,
        hour=hour_utc(now_ms),
    )


def _adverse(markouts: SideMarkouts | None) -> tuple[float, float]:
    """What makers of a side lost after ten seconds, and its standard error; 0 where not known."""
    found = None if markouts is None else markouts.s10
    return (0.0, 0.0) if found is None else (-found.mean_bps, found.se_bps)


def _ratio(fast: Volatility | None, slow: Volatility | None) -> float:
    if fast is None or slow is None or slow.sigma_bps <= 0 or fast.sigma_bps <= 0:
        return 1.0
    return fast.sigma_bps / slow.sigma_bps
