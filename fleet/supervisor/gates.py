"""Whether a canary may stand for the rest: hard gates by time, and a markout test. Pure.

    gone        FAILED, or not quoting in time          at once
    thin        the half-spread is below the fee        after 5 s of it
    taker       a fill of a quote that took             at once
    rejects     not post-only: more than their share    from 5 on; post-only ones from 20 on
    drift       positions that disagree                 at once (the gateway gives them their time)
    loss        beyond its share of the margin          at once
    uptime      below its share                         once it was due for 60 s
    markout     10 s after the fill, less the fee, below zero beyond doubt

The markout test is sequential (``fleet.ledger.edge``), over sums of the fills of 10 s, which share
one move of the price. It needs 50 fills; with fewer the canary ends inconclusive.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from fleet.gateway.api import MarketView
from fleet.ledger.edge import BPS, FILLS_MIN, radius
from fleet.manifests.spec import RolloutGates

HORIZON_MS: Final = 10_000
STRETCHES_MIN: Final = 10
THIN_MS: Final = 5_000
DUE_S: Final = 60.0
REJECTS_LEAST: Final = 5
POST_ONLY_LEAST: Final = 20


class SeenFill(msgspec.Struct, frozen=True):
    """A fill of our own order. ``sign``: 1 bought, -1 sold; ``fee_usd`` as paid; ``later_px``: the
    mid 10 s later, None where none was seen.
    """

    time_ms: int
    sign: int
    px: float
    sz: float
    fee_usd: float
    crossed: bool
    later_px: float | None = None


class Evidence(msgspec.Struct, frozen=True):
    """What the ledger has of a market since a moment; orders refused, of any and of this reason."""

    fills: tuple[SeenFill, ...] = ()
    rejected: int = 0
    post_only: int = 0


class Watch(msgspec.Struct, frozen=True):
    """A canary from the moment it quoted by its new settings; kept, so a restart forgets nothing.

    ``position_sz`` to ``requests``: as they stood then. ``thin_ms``: since when its half-spread is
    below the fee.
    """

    since_ms: int
    position_sz: float
    mark_px: float
    due_s: float
    up_s: float
    requests: int
    thin_ms: int | None = None


def begun(view: MarketView, venue_ms: int) -> Watch | None:
    """A watch, once it quotes and its mark is known."""
    report = view.report
    if report is None or view.mark_px is None:
        return None
    return Watch(
        since_ms=venue_ms,
        position_sz=float(view.position_sz),
        mark_px=view.mark_px,
        due_s=report.quoting_due_s,
        up_s=report.quoting_up_s,
        requests=report.requests,
    )


def followed(watch: Watch, view: MarketView, venue_ms: int) -> Watch:
    """The watch, a round later."""
    report, instrument = view.report, view.instrument
    if report is None or instrument is None:
        return watch
    if report.requests < watch.requests:  # a new agent counts from zero
        watch = msgspec.structs.replace(watch, due_s=0.0, up_s=0.0, requests=0)
    half_bps = report.half_spread_bps
    thin = half_bps is not None and half_bps < instrument.maker_fee_bps
    return msgspec.structs.replace(watch, thin_ms=(watch.thin_ms or venue_ms) if thin else None)


class Markout(msgspec.Struct, frozen=True):
    """What quotes earned 10 s after their fills, less fees, in bps; bounds hold at any moment.

    ``high_bps`` None: too few fills to say.
    """

    fills: int
    mean_bps: float
    high_bps: float | None


def markout(fills: Iterable[SeenFill]) -> Markout:
    """Of all fills that were quotes and whose later mid is known."""
    sums: dict[int, float] = {}
    count, notional_usd = 0, 0.0
    for fill in fills:
        if fill.later_px is None or fill.crossed:
            continue
        stretch = fill.time_ms // HORIZON_MS
        earned_usd = fill.sign * fill.sz * (fill.later_px - fill.px) - fill.fee_usd
        sums[stretch] = sums.get(stretch, 0.0) + earned_usd
        count, notional_usd = count + 1, notional_usd + fill.sz * fill.px
    n = len(sums)
    if not n or not notional_usd:
        return Markout(0, 0.0, None)
    mean = sum(sums.values()) / n
    scale = BPS * n / notional_usd
    if count < FILLS_MIN or n < STRETCHES_MIN:
        return Markout(count, mean * scale, None)
    sd = math.sqrt(sum((value - mean) ** 2 for value in sums.values()) / (n - 1))
    return Markout(count, mean * scale, (mean + radius(sd, n)) * scale)


def pnl_usd(watch: Watch, fills: Iterable[SeenFill], mark_px: float) -> float:
    """Since the watch began: what was held, and each fill, at today's mark, less fees."""
    held_usd = watch.position_sz * (mark_px - watch.mark_px)
    return held_usd + sum(f.sign * f.sz * (mark_px - f.px) - f.fee_usd for f in fills)


def failures(
    watch: Watch, view: MarketView, evidence: Evidence, gates: RolloutGates, venue_ms: int
) -> list[str]:
    """What speaks against the canary beyond doubt; empty: nothing yet."""
    return [
        *_of_quotes(watch, view, gates, venue_ms),
        *_of_orders(watch, view, evidence, gates),
        *_of_money(watch, view, evidence, gates),
    ]


def _of_quotes(watch: Watch, view: MarketView, gates: RolloutGates, venue_ms: int) -> Iterator[str]:
    report, instrument = view.report, view.instrument
    if watch.thin_ms is not None and venue_ms - watch.thin_ms >= THIN_MS and instrument and report:
        yield (
            f"its half-spread of {report.half_spread_bps or 0.0:.2f} bps is below the fee,"
            f" {instrument.maker_fee_bps:.2f}"
        )
    if view.drift is not None:
        yield f"drift: {view.drift}"
    if report is not None:
        due_s, up_s = report.quoting_due_s - watch.due_s, report.quoting_up_s - watch.up_s
        if due_s >= DUE_S and up_s < gates.uptime_min_share * due_s:
            yield f"quoted {up_s / due_s:.0%} of its time, less than {gates.uptime_min_share:.0%}"


def _of_orders(
    watch: Watch, view: MarketView, evidence: Evidence, gates: RolloutGates
) -> Iterator[str]:
    taken = sum(fill.crossed for fill in evidence.fills)
    if taken > gates.taker_fills_max:
        yield f"{taken} taker fills, more than {gates.taker_fills_max}"
    sent = view.report.requests - watch.requests if view.report is not None else 0
    tried = max(sent, evidence.rejected + evidence.post_only)
    for count, least, limit, what in (
        (evidence.rejected, REJECTS_LEAST, gates.rejects_max_share, "refused"),
        (evidence.post_only, POST_ONLY_LEAST, gates.post_only_max_share, "refused as crossing"),
    ):
        if count >= least and count > limit * tried:
            yield f"{count} orders {what} in {tried} requests, more than {limit:.0%}"


def _of_money(
    watch: Watch, view: MarketView, evidence: Evidence, gates: RolloutGates
) -> Iterator[str]:
    if view.mark_px is not None:
        usd = pnl_usd(watch, evidence.fills, view.mark_px)
        limit_usd = gates.loss_max_share * view.settings.margin_usd
        if usd < -limit_usd:
            yield f"lost {-usd:,.2f} USD, more than {gates.loss_max_share:.1%} of its margin"
    seen = markout(evidence.fills)
    if seen.high_bps is not None and seen.high_bps < 0:
        yield (
            f"markout after {HORIZON_MS // 1_000} s less fees: {seen.mean_bps:+.2f} bps over"
            f" {seen.fills} fills, below zero beyond doubt (at most {seen.high_bps:+.2f})"
        )


def conclusive(evidence: Evidence) -> bool:
    """Whether the markout test had enough fills to speak."""
    return markout(evidence.fills).high_bps is not None
