"""What a maker earned on a recording: P&L with its error, its parts, markouts, inventory."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import msgspec

from agents.market.units import BPS, NS_PER_S
from fleet.backtest.desk import Desk, Filled, Mark

HORIZONS_S: Final = (1, 10, 60)
MINUTE_S: Final = 60
STEP_S: Final = 5
SEEN_SHARE_MIN: Final = 0.8


class Row(msgspec.Struct, frozen=True):
    """One maker at one market. ``se_bps``: of ``pnl_bps``, from the scatter of minutes.

    ``sd_minute_usd``: deviation of the P&L from one minute to the next, over all minutes that begin
    five seconds apart. ``spread_usd`` is what fills were better than the mid of their moment,
    ``inventory_usd`` what the mid did to the position; both less ``fees_usd`` are the P&L.
    """

    recording: str
    market: str
    maker: str
    fills: int
    volume_usd: float
    pnl_usd: float
    pnl_bps: float | None
    se_bps: float | None
    spread_usd: float
    inventory_usd: float
    fees_usd: float
    sd_minute_usd: float
    inventory_rms_usd: float
    inventory_max_usd: float
    markout_bps: dict[str, float | None]
    uptime_share: float | None
    requests: int
    refused: int
    seen_s: float


def score(
    desk: Desk, *, recording: str, maker: str, maker_fee_bps: float, uptime_share: float | None
) -> Row:
    """Sum up a desk that has run."""
    marks, fills = desk.marks, desk.fills
    volume = math.fsum(fill.px * fill.sz for fill in fills)
    fees = volume * maker_fee_bps / BPS
    spread = math.fsum(fill.sign * (fill.mid_px - fill.px) * fill.sz for fill in fills)
    pnl = marks[-1].equity_usd - marks[0].equity_usd if marks else 0.0
    held = [mark.position_sz * mark.mid_px for mark in marks]
    sd = minute_sd_usd(marks)
    minutes = len(marks) / MINUTE_S
    return Row(
        recording=recording,
        market=desk.coin,
        maker=maker,
        fills=len(fills),
        volume_usd=volume,
        pnl_usd=pnl,
        pnl_bps=BPS * pnl / volume if volume else None,
        se_bps=BPS * sd * math.sqrt(minutes) / volume if volume else None,
        spread_usd=spread,
        inventory_usd=pnl + fees - spread,
        fees_usd=fees,
        sd_minute_usd=sd,
        inventory_rms_usd=math.sqrt(sum(usd * usd for usd in held) / len(held)) if held else 0.0,
        inventory_max_usd=max(map(abs, held), default=0.0),
        markout_bps={f"{h}s": markout_bps(fills, marks, h) for h in HORIZONS_S},
        uptime_share=uptime_share,
        requests=desk.actions,
        refused=desk.refused,
        seen_s=float(len(marks)),
    )


def minute_sd_usd(marks: Sequence[Mark]) -> float:
    """About zero: a steady loss is no comfort. Minutes that an outage fell into are left out."""
    most_ns = MINUTE_S / SEEN_SHARE_MIN * NS_PER_S
    changes = [
        marks[at + MINUTE_S].equity_usd - marks[at].equity_usd
        for at in range(0, len(marks) - MINUTE_S, STEP_S)
        if marks[at + MINUTE_S].at_ns - marks[at].at_ns < most_ns
    ]
    return math.sqrt(sum(usd * usd for usd in changes) / len(changes)) if changes else 0.0


def markout_bps(fills: Sequence[Filled], marks: Sequence[Mark], horizon_s: int) -> float | None:
    """By notional; a fill whose horizon ends in an outage is left out."""
    times = [mark.at_ns for mark in marks]
    usd = weight = 0.0
    for fill in fills:
        due_ns = fill.at_ns + horizon_s * NS_PER_S
        at = bisect_left(times, due_ns)
        if at < len(times) and times[at] - due_ns < STEP_S * NS_PER_S:
            usd += fill.sign * (marks[at].mid_px - fill.px) * fill.sz
            weight += fill.px * fill.sz
    return BPS * usd / weight if weight else None


def pooled(rows: Sequence[Row]) -> Row:
    """One maker over all its markets, as if side by side: USD add up, and so do variances."""
    volume = math.fsum(row.volume_usd for row in rows)
    pnl = math.fsum(row.pnl_usd for row in rows)
    errors = [(row.se_bps or 0.0) * row.volume_usd for row in rows]
    shares = [row.uptime_share for row in rows if row.uptime_share is not None]
    weights = [(row.markout_bps, row.volume_usd) for row in rows]
    return Row(
        recording="all",
        market="all",
        maker=rows[0].maker,
        fills=sum(row.fills for row in rows),
        volume_usd=volume,
        pnl_usd=pnl,
        pnl_bps=BPS * pnl / volume if volume else None,
        se_bps=math.hypot(*errors) / volume if volume else None,
        spread_usd=math.fsum(row.spread_usd for row in rows),
        inventory_usd=math.fsum(row.inventory_usd for row in rows),
        fees_usd=math.fsum(row.fees_usd for row in rows),
        sd_minute_usd=math.hypot(*(row.sd_minute_usd for row in rows)),
        inventory_rms_usd=math.hypot(*(row.inventory_rms_usd for row in rows)),
        inventory_max_usd=max(row.inventory_max_usd for row in rows),
        markout_bps={f"{h}s": _weighed(weights, f"{h}s") for h in HORIZONS_S},
        uptime_share=min(shares, default=None),
        requests=sum(row.requests for row in rows),
        refused=sum(row.refused for row in rows),
        seen_s=math.fsum(row.seen_s for row in rows),
    )


def _weighed(rows: Sequence[tuple[dict[str, float | None], float]], key: str) -> float | None:
    known = [(markouts[key], volume) for markouts, volume in rows]
    weight = sum(volume for bps, volume in known if bps is not None)
    total = sum(bps * volume for bps, volume in known if bps is not None)
    return total / weight if weight else None
