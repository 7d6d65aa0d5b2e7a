"""The risk actor's arithmetic: Gamma of a hundred markets, a whole round over forty."""

import math
import random
from decimal import Decimal

import numpy as np

from agents.commands import Report
from fleet.gateway.api import GatewayStatus
from fleet.manifests.spec import FleetRisk
from fleet.risk.covariance import SAMPLE_MS
from fleet.risk.gamma import Liquid, gamma_of
from fleet.risk.rounds import Rounds
from tests.bench.figures import Figures, per_call_s
from tests.unit.fleet.views import NOW_MS, dex_view, status, view

WIDE = FleetRisk(
    1e12, 1e12, 1e12, 1e12, drawdown_max_share=0.99, correlated_risk_max_usd=1e9, cross_market="on"
)


def fleet(px: dict[str, float], now_ms: int) -> GatewayStatus:
    report = Report(
        phase="QUOTING", mid_px=100.0, sigma_bps=2.0, fills_per_s=0.05, kappa_per_bps=0.2
    )
    views = [
        view(
            name, position_sz=Decimal(3), mark_px=x, bid_px=x, ask_px=x, report=report,
            report_ms=now_ms,
        )
        for name, x in px.items()
    ]  # fmt: skip
    return status(*views, dexes=(dex_view(as_of_ms=now_ms),), as_of_ms=now_ms)


def test_gamma_and_a_round(figures: Figures) -> None:
    draw = random.Random(1)
    markets = [
        Liquid(
            sigma_bps=draw.uniform(0.5, 5),
            fills_per_s=draw.uniform(0.01, 0.5),
            kappa_per_bps=draw.uniform(0.05, 0.5),
            risk_aversion=0.3,
            clip_usd=draw.uniform(50, 5_000),
        )
        for _ in range(100)
    ]
    correlation = 0.6 * np.ones((100, 100)) + 0.4 * np.eye(100)
    eigh_s = per_call_s(lambda: np.linalg.eigh(correlation), calls=5)
    gamma_s = per_call_s(lambda: gamma_of(markets, correlation), calls=5)
    figures.add(
        "Gamma, 100 markets", value_s=gamma_s, yardstick="eigh, 100 x 100", yardstick_s=eigh_s,
        ratio_max=4.0,
    )  # fmt: skip

    rounds, now_ms = Rounds(), NOW_MS
    px = {f"M{at}": 100.0 for at in range(40)}
    for _ in range(45):
        common = draw.gauss(0, 1)
        px = {name: x * math.exp(1e-3 * (common + draw.gauss(0, 1))) for name, x in px.items()}
        now_ms += SAMPLE_MS
        rounds.turn(fleet(px, now_ms), WIDE, now_ms, now_ms)
    seen = fleet(px, now_ms)

    def second() -> None:
        nonlocal now_ms
        now_ms += 1_000
        rounds.turn(seen, WIDE, now_ms, now_ms)

    round_s = per_call_s(second, calls=10)  # one of ten takes a sample
    figures.add(
        "a round of risk, 40 markets", value_s=round_s, yardstick="eigh, 100 x 100",
        yardstick_s=eigh_s, ratio_max=14.0,
    )  # fmt: skip
