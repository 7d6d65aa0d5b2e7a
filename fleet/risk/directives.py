"""One round's directives: from the account view to what each market may do."""

from collections.abc import Mapping
from typing import Final

import msgspec

from fleet.gateway.api import DirectiveRow, DirectivesPut, GatewayStatus, MarketView
from fleet.manifests.spec import DexSpec, FleetRisk
from fleet.risk.baseline import Baseline, day_pnl_usd, drawdown_share, roll
from fleet.risk.exposure import equity_usd, exposure, underlying_of, view_age_ms
from fleet.risk.health import blind, depegged
from fleet.risk.limits import Mode, Verdict, judge
from fleet.risk.portfolio import PortfolioRisk

VIEW_MAX_MS: Final = 10_000


class Round(msgspec.Struct, frozen=True):
    """What to publish, and what to keep. ``baseline`` is None until equity was known once.

    ``blind``: nothing could be judged, because the account was not seen. ``portfolio``: what all
    positions are together.
    """

    put: DirectivesPut
    baseline: Baseline | None
    verdict: Verdict
    blind: bool = False
    portfolio: PortfolioRisk | None = None


def one_round(
    status: GatewayStatus,
    limits: FleetRisk,
    kept: Baseline | None,
    seq: int,
    now_ms: int,
    *,
    portfolio: PortfolioRisk | None = None,
    dexes: Mapping[str, DexSpec] | None = None,
) -> Round:
    """Judge the moment that ``status`` shows.

    An account view that is too old, or made while the link was down (some DEXs may be missing from
    it), only reduces: a missing DEX must not look like a loss.
    """
    age_ms = view_age_ms(status, now_ms)
    if status.link != "up" or age_ms is None or age_ms > VIEW_MAX_MS:
        told = "no account view" if age_ms is None else f"account view is {age_ms / 1000:.1f} s old"
        unseen = _round(status, Verdict("reduce_only", (told,)), kept, seq, now_ms, {})
        return msgspec.structs.replace(unseen, blind=True)
    equity, baseline, day_usd, share = equity_usd(status), kept, None, None
    if equity is not None:
        baseline = roll(kept, equity, now_ms)
        day_usd, share = day_pnl_usd(baseline, equity), drawdown_share(baseline, equity)
    verdict = judge(
        exposure(status),
        day_pnl_usd=day_usd,
        drawdown_share=share,
        limits=limits,
        portfolio=portfolio,
    )
    stale = blind(status)
    if stale is not None and verdict.mode != "halt":
        verdict = Verdict("reduce_only", (stale, *verdict.reasons), verdict.underlyings)
    off_peg = depegged(status, dexes or {})
    done = _round(status, verdict, baseline, seq, now_ms, off_peg)
    return msgspec.structs.replace(done, portfolio=portfolio)


def _round(
    status: GatewayStatus,
    verdict: Verdict,
    baseline: Baseline | None,
    seq: int,
    now_ms: int,
    off_peg: Mapping[str, str],
) -> Round:
    told = "; ".join((*verdict.reasons, *off_peg.values()))
    rows: dict[str, DirectiveRow] = {}
    for view in status.markets:
        mode, reason = _mode_of(view, verdict), "; ".join(verdict.reasons)
        off = off_peg.get(view.market.rpartition(":")[0])
        if mode == "normal" and off is not None:
            mode, reason = "reduce_only", off
        rows[view.market] = DirectiveRow(mode, reason if mode != "normal" else "")
    careful = verdict.underlyings or any(row.mode != "normal" for row in rows.values())
    state = "reduce_only" if careful and verdict.mode == "normal" else verdict.mode
    put = DirectivesPut(seq=seq, as_of_ms=now_ms, state=state, reason=told, directives=rows)
    if off_peg and told != "; ".join(verdict.reasons):
        verdict = msgspec.structs.replace(verdict, reasons=(*verdict.reasons, *off_peg.values()))
    return Round(put, baseline, verdict)


def _mode_of(view: MarketView, verdict: Verdict) -> Mode:
    if underlying_of(view) in verdict.underlyings and verdict.mode == "normal":
        return "reduce_only"
    hedges = view.market in verdict.hedges and underlying_of(view) not in verdict.underlyings
    return "normal" if hedges and verdict.mode == "reduce_only" else verdict.mode
