"""Rounds of risk: the portfolio stops what each market allows, and rows go out when they moved."""

import math
import random
from decimal import Decimal

import msgspec
import numpy as np

from agents.commands import Report
from agents.portfolio import GammaRow
from fleet.gateway.api import GatewayStatus, MarketView, RiskView
from fleet.manifests.spec import FleetRisk
from fleet.risk.covariance import SAMPLE_MS
from fleet.risk.directives import Round
from fleet.risk.gamma import Liquid
from fleet.risk.rounds import Rounds
from fleet.risk.rows import REFRESH_MS, Reported, apart
from tests.unit.fleet.views import NOW_MS, dex_view, status, view

MARKETS = ("BTC", "ETH", "SOL")
WIDE = FleetRisk(1e9, 1e9, 1e9, 1e9, drawdown_max_share=0.99, cross_market="on")


class Clock:
    """A fleet whose markets move together, seen each second or so."""

    def __init__(self, limits: FleetRisk = WIDE) -> None:
        self.rounds = Rounds()
        self.limits = limits
        self.now_ms = NOW_MS
        self.held = dict.fromkeys(MARKETS, Decimal(0))
        self.away: set[str] = set()
        self.gateway_rows = 0
        self._px = dict.fromkeys(MARKETS, 100.0)
        self._draw = random.Random(3)

    def status(self) -> GatewayStatus:
        dexes = (dex_view(as_of_ms=self.now_ms),)
        risk = RiskView(1, self.now_ms, 0, "normal", "", self.gateway_rows)
        return status(*map(self._view, MARKETS), dexes=dexes, risk=risk, as_of_ms=self.now_ms)

    def _view(self, market: str) -> MarketView:
        px = self._px[market]
        report = Report(
            phase="QUOTING", mid_px=px, sigma_bps=2.0, fills_per_s=0.05, kappa_per_bps=0.2
        )
        return view(
            market, position_sz=self.held[market], mark_px=px, bid_px=px, ask_px=px,
            report=None if market in self.away else report, report_ms=self.now_ms,
        )  # fmt: skip

    def turn(self, ms: int = SAMPLE_MS) -> Round:
        common = self._draw.gauss(0, 1)
        for market in MARKETS:
            shock = 0.9 * common + 0.43 * self._draw.gauss(0, 1)
            self._px[market] *= math.exp(2e-4 * math.sqrt(ms / 1_000) * shock)
        self.now_ms += ms
        done = self.rounds.turn(self.status(), self.limits, self.now_ms, self.now_ms)
        self.gateway_rows = max(self.gateway_rows, len(done.put.gamma_rows))
        return done

    def warm(self) -> Round:
        for _ in range(45):
            done = self.turn()
        return done


def test_a_portfolio_that_each_market_allows_and_the_whole_does_not_is_stopped_by_the_whole() -> (
    None
):
    clock = Clock(msgspec.structs.replace(WIDE, correlated_risk_max_usd=100.0))
    clock.held |= {"BTC": Decimal(29), "ETH": Decimal(29), "SOL": Decimal(-3)}
    done = clock.warm()
    for seen in clock.status().markets:
        held_usd = abs(float(seen.position_sz)) * float(seen.mark_px or 0.0)
        assert held_usd < 1.1 * seen.settings.risk.position_max_usd
    assert done.portfolio is not None
    assert 40 < done.portfolio.risk_usd < 100
    assert done.put.state == "normal"
    tight = msgspec.structs.replace(clock.limits, correlated_risk_max_usd=40.0)
    clock.limits = tight
    done = clock.turn()
    modes = {market: row.mode for market, row in done.put.directives.items()}
    assert modes == {"BTC": "reduce_only", "ETH": "reduce_only", "SOL": "normal"}, "SOL hedges"
    assert "risk of an hour" in done.put.reason
    clock.limits = msgspec.structs.replace(clock.limits, correlated_risk_max_usd=1e6)
    assert clock.turn().put.state == "normal"


def test_rows_come_once_enough_is_known_and_again_when_they_moved() -> None:
    clock = Clock()
    assert clock.turn().put.gamma_rows == {}
    early = [clock.turn().put.gamma_rows for _ in range(20)]
    assert early.count({}) == 20, "20 samples are too few"
    clock.warm()
    assert clock.gateway_rows == 3
    quiet = [clock.turn(1_000).put.gamma_rows for _ in range(5)]
    assert quiet.count({}) >= 4
    again: dict[str, GammaRow] = {}
    for _ in range(REFRESH_MS // 5_000 + 1):
        again |= clock.turn(5_000).put.gamma_rows
    assert set(again) == set(MARKETS), "none gets too old"
    row = again["BTC"]
    assert set(row.bps_per_usd) == set(MARKETS)
    assert 0 < row.bps_per_usd["ETH"] < row.bps_per_usd["BTC"] < row.own_bps_per_usd


def test_a_gateway_that_lost_them_gets_all_and_an_absent_agent_stays_in() -> None:
    clock = Clock()
    clock.warm()
    clock.away = {"SOL"}
    clock.gateway_rows = 0
    done = clock.turn(1_000)
    assert set(done.put.gamma_rows) == set(MARKETS)
    assert "SOL" in done.put.gamma_rows["BTC"].bps_per_usd


def test_off_sends_none_and_takes_back_what_was_sent() -> None:
    clock = Clock(msgspec.structs.replace(WIDE, cross_market="off"))
    assert clock.warm().put.gamma_rows == {}
    clock.limits = msgspec.structs.replace(WIDE, cross_market="shadow")
    rows = clock.turn().put.gamma_rows
    assert {row.in_force for row in rows.values()} == {False}
    clock.limits = msgspec.structs.replace(WIDE, cross_market="off")
    taken = clock.turn().put.gamma_rows
    assert taken == dict.fromkeys(MARKETS, GammaRow(clock.now_ms, 0.0, {}))
    clock.gateway_rows = 0
    assert clock.turn().put.gamma_rows == {}


def test_the_same_ticker_elsewhere_is_no_hedge_unless_both_net() -> None:
    liquid = Liquid(1.0, 0.1, 0.2, 0.3, 100.0)
    one, other = Reported(liquid, "BTC", True, 0), Reported(liquid, "BTC", False, 0)
    both = np.array([[1.0, 0.97], [0.97, 1.0]])
    assert apart(both, [one, other])[0, 1] == 0.0
    assert apart(both, [one, one])[0, 1] == 0.8
