"""One round of the risk actor: from the account view to a directive for each market."""

from typing import Final

import msgspec

from fleet.gateway.api import DirectiveRow, DirectivesPut, GatewayStatus
from fleet.manifests.spec import FleetRisk
from fleet.risk.baseline import Baseline, day_pnl_usd, drawdown_share, roll
from fleet.risk.exposure import equity_usd, exposure, underlying_of, view_age_ms
from fleet.risk.limits import Mode, Verdict, judge

VIEW_MAX_MS: Final = 10_000


class Round(msgspec.Struct, frozen=True):
    """What to publish, and what to keep. ``baseline`` is None until equity was known once.

    ``blind``: nothing could be judged, because the account was not seen.
    """

    put: DirectivesPut
    baseline: Baseline | None
    verdict: Verdict
    blind: bool = False


def one_round(
    status: GatewayStatus, limits: FleetRisk, kept: Baseline | None, seq: int, now_ms: int
) -> Round:
    """Judge the moment that ``status`` shows.

    An account view that is too old, or made while the link was down (some DEXs may be missing from
    it), only reduces: a missing DEX must not look like a loss.
    """
    age_ms = view_age_ms(status, now_ms)
    if status.link != "up" or age_ms is None or age_ms > VIEW_MAX_MS:
        told = "no account view" if age_ms is None else f"account view is {age_ms / 1000:.1f} s old"
        blind = _round(status, Verdict("reduce_only", (told,)), kept, seq, now_ms)
        return msgspec.structs.replace(blind, blind=True)
    equity, baseline, day_usd, share = equity_usd(status), kept, None, None
    if equity is not None:
        baseline = roll(kept, equity, now_ms)
        day_usd, share = day_pnl_usd(baseline, equity), drawdown_share(baseline, equity)
    verdict = judge(exposure(status), day_pnl_usd=day_usd, drawdown_share=share, limits=limits)
    return _round(status, verdict, baseline, seq, now_ms)


def _round(
    status: GatewayStatus, verdict: Verdict, baseline: Baseline | None, seq: int, now_ms: int
) -> Round:
    reason = "; ".join(verdict.reasons)
    rows = {
        view.market: DirectiveRow(mode, reason if mode != "normal" else "")
        for view in status.markets
        for mode in [_mode_of(underlying_of(view), verdict)]
    }
    state = "reduce_only" if verdict.underlyings and verdict.mode == "normal" else verdict.mode
    put = DirectivesPut(seq=seq, as_of_ms=now_ms, state=state, reason=reason, directives=rows)
    return Round(put, baseline, verdict)


def _mode_of(underlying: str, verdict: Verdict) -> Mode:
    if verdict.mode == "normal" and underlying in verdict.underlyings:
        return "reduce_only"
    return verdict.mode
