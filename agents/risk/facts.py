"""What the monitors judge: plain numbers of one moment, None where nothing is known."""

import msgspec

from agents.kept import Kill


class Facts(msgspec.Struct, frozen=True, gc=False):
    """One market at one moment, as its agent knows it. Ages in seconds, None = never seen.

    feeds      ``data_age_s`` of the touch; ``ctx_age_s`` of mark and oracle; ``account_age_s`` of
               the venue's word on the position; ``data_begun_s``: since when a touch is awaited
    door       ``link_up``; ``feed_gap``: only this market's data is missing; ``fenced`` why; the
               risk actor's ``directive_*``; ``reconciled`` orders, ``recovering`` after a gap;
               ``ready`` estimators; what the operator wants
    money      ``pnl_day_usd`` of the UTC day, ``pnl_usd`` since it is counted, ``pnl_peak_usd`` its
               peak, ``unrealized_usd``; all None while no price tells them
    holding    ``exposure_usd``: the position's size; ``open_usd``: with all that may still fill on
               the worse side, ``over_s`` for how long that has been far too much;
               ``position_max_usd``; ``inherited``: no more is held than when that was set;
               ``grown_share``: of the limit, what |position| grew by in a minute, and
               ``growth_hold_s`` how long ago that was too much; ``stuck_s``: how long nothing that
               reduces has rested; ``drift_s``: how long the venue has held another position,
               ``drift_share`` of the limit; ``foreign_share``: what fills of no order of ours did
               within 5 s; ``liquidated``: what told of a liquidation
    market     ``move_share``: the range of the mid over 5 s; ``sigma_bps`` per sqrt(s);
               ``severity_share`` of forced flow; ``deployed``: a HIP-3 market; ``oracle_age_s``
               since the oracle moved, ``oracle_behind_bps`` what the mid has moved since;
               ``mark_away_bps`` of mark from oracle; ``liquidation_bps``: how far the mark is from
               the venue's liquidation price (None: nothing liquidates)
    service    ``answer_s``: the slowest answer of late, or the oldest still awaited;
               ``rate_limited``: refusals by the venue's rate limits in a minute
    latches    ``killed``; ``reduced``: why only what reduces is quoted until a person has looked
    """

    data_age_s: float | None = None
    crossed: bool = False
    two_sided: bool = True
    ctx_age_s: float | None = None
    account_age_s: float | None = None
    link_up: bool = True
    feed_gap: bool = False
    fenced: str | None = None
    directive_age_s: float | None = None
    directive_mode: str = "normal"
    directive_reason: str = ""
    reconciled: bool = True
    recovering: bool = False
    ready: bool = True
    paused: bool = False
    leaving: str | None = None
    drain: str | None = None
    pnl_day_usd: float | None = None
    pnl_usd: float | None = None
    pnl_peak_usd: float = 0.0
    unrealized_usd: float | None = None
    margin_usd: float = 0.0
    exposure_usd: float | None = None
    open_usd: float | None = None
    over_s: float | None = None
    position_max_usd: float = 0.0
    inherited: bool = False
    grown_share: float = 0.0
    growth_hold_s: float | None = None
    stuck_s: float | None = None
    drift_s: float | None = None
    drift_share: float = 0.0
    foreign_share: float = 0.0
    liquidated: str | None = None
    move_share: float = 0.0
    sigma_bps: float | None = None
    severity_share: float = 0.0
    deployed: bool = False
    oracle_age_s: float | None = None
    oracle_behind_bps: float = 0.0
    mark_away_bps: float = 0.0
    liquidation_bps: float | None = None
    answer_s: float = 0.0
    answer_usual_s: float = 0.25
    rate_limited: int = 0
    killed: Kill | None = None
    reduced: str | None = None
