"""Each market's row of Gamma: who takes part, when a row is sent, when it ends.

A market takes part once its agent has reported A and kappa and enough samples of its price are
known. Where its agent is away its last report serves as long as a row does: what it holds still
weighs on the others. Rows change slowly, so one is sent when it has moved or before it gets old.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from agents.portfolio import ROW_MAX_MS, GammaRow
from agents.strategy.sizes import clip_size
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.risk.covariance import Covariance, Matrix, floored
from fleet.risk.exposure import NETTED_SHARE, underlying_of
from fleet.risk.gamma import Liquid, gamma_of

MOVED_SHARE: Final = 0.02  # of the diagonal
REFRESH_MS: Final = 120_000


class Reported(msgspec.Struct, frozen=True):
    """What the matrix needs of a market, as last known; ``sigma_bps`` is the sampled one."""

    liquid: Liquid
    underlying: str
    nets: bool
    at_ms: int


def reported(status: GatewayStatus, covariance: Covariance, now_ms: int) -> dict[str, Reported]:
    """The markets whose agents tell enough at this moment."""
    found: dict[str, Reported] = {}
    for view in status.markets:
        liquid = _liquid(view, covariance.sigma_bps(view.market))
        if liquid is not None and liquid.sane:
            settings = view.settings
            found[view.market] = Reported(liquid, underlying_of(view), settings.nets, now_ms)
    return found


def _liquid(view: MarketView, sigma_bps: float | None) -> Liquid | None:
    report, strategy = view.report, view.settings.strategy
    if report is None or view.instrument is None or not sigma_bps or not report.mid_px:
        return None
    if report.fills_per_s is None or report.kappa_per_bps is None:
        return None
    clip_sz = clip_size(
        settings=strategy,
        instrument=view.instrument,
        position_max_usd=view.settings.risk.position_max_usd,
        reference_px=report.mid_px,
    )
    return Liquid(
        sigma_bps=sigma_bps,
        fills_per_s=report.fills_per_s,
        kappa_per_bps=report.kappa_per_bps,
        risk_aversion=strategy.risk_aversion,
        clip_usd=float(clip_sz) * report.mid_px,
    )


def recent(
    known: Mapping[str, Reported], news: Mapping[str, Reported], markets: Sequence[str], now_ms: int
) -> dict[str, Reported]:
    """What is known now: news over what is still young, of markets that are still there."""
    both = {**known, **news}
    return {m: both[m] for m in markets if m in both and now_ms - both[m].at_ms <= ROW_MAX_MS}


def gamma_rows(
    known: Mapping[str, Reported], covariance: Covariance, *, now_ms: int, in_force: bool
) -> dict[str, GammaRow]:
    """The rows of all that take part; none where only one does."""
    names = [market for market in sorted(known) if covariance.ready(market)]
    if len(names) < 2:
        return {}
    rows = [known[name] for name in names]
    correlation = apart(covariance.correlation(names), rows)
    gamma = gamma_of([row.liquid for row in rows], correlation).tolist()
    return {
        name: GammaRow(
            as_of_ms=now_ms,
            own_bps_per_usd=row.liquid.own_bps_per_usd,
            bps_per_usd=dict(zip(names, line, strict=True)),
            in_force=in_force,
        )
        for name, row, line in zip(names, rows, gamma, strict=True)
    }


def apart(correlation: Matrix, rows: Sequence[Reported]) -> Matrix:
    """The same ticker on two DEXs hedges itself only where both markets say that they net, and
    then not wholly: another oracle, another collateral, its own liquidation.
    """
    found = correlation.copy()
    for i, one in enumerate(rows):
        for j, other in enumerate(rows[:i]):
            if one.underlying == other.underlying:
                nets = one.nets and other.nets
                rho = min(max(float(found[i, j]), 0.0), NETTED_SHARE) if nets else 0.0
                found[i, j] = found[j, i] = rho
    return floored(found)


def due(
    sent: Mapping[str, GammaRow], fresh: Mapping[str, GammaRow], now_ms: int
) -> dict[str, GammaRow]:
    """The rows to send: new ones, those that moved, those that would soon be too old."""
    return {
        market: row
        for market, row in fresh.items()
        if (held := sent.get(market)) is None
        or now_ms - held.as_of_ms >= REFRESH_MS
        or _moved(held, row, market)
    }


def _moved(held: GammaRow, row: GammaRow, market: str) -> bool:
    """In what an agent makes of it: shares of the market's own diagonal."""
    if held.in_force != row.in_force or held.bps_per_usd.keys() != row.bps_per_usd.keys():
        return True
    unit = row.bps_per_usd[market] / row.own_bps_per_usd
    return any(
        abs(bps / row.own_bps_per_usd - held.bps_per_usd[other] / held.own_bps_per_usd)
        > MOVED_SHARE * unit
        for other, bps in row.bps_per_usd.items()
    )
