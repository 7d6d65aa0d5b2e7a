"""What the risk actor remembers from round to round, and a round made with it.

account view -> samples -> portfolio risk -> verdict -> directives, and the rows of Gamma
"""

from collections.abc import Mapping

import msgspec

from agents.portfolio import GammaRow
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.manifests.spec import DexSpec, FleetRisk
from fleet.risk.baseline import Baseline
from fleet.risk.covariance import Covariance, Seen
from fleet.risk.directives import Round, one_round
from fleet.risk.exposure import held_usd, underlying_of
from fleet.risk.portfolio import Holding, portfolio_risk
from fleet.risk.rows import Reported, due, gamma_rows, recent, reported

_NO_ROW = GammaRow(as_of_ms=0, own_bps_per_usd=0.0, bps_per_usd={})


class Rounds:
    """``baseline`` and ``covariance`` outlast the process; the rest is found again."""

    def __init__(self) -> None:
        self.baseline: Baseline | None = None
        self.covariance = Covariance()
        self.sampled = False
        self._known: dict[str, Reported] = {}
        self._sent: dict[str, GammaRow] = {}

    def turn(
        self,
        status: GatewayStatus,
        limits: FleetRisk,
        seq: int,
        now_ms: int,
        dexes: Mapping[str, DexSpec] | None = None,
    ) -> Round:
        """One round. ``sampled`` tells whether the covariance took a sample in it."""
        if status.link == "up":
            seen = {view.market: _seen(view) for view in status.markets}
            self.sampled = self.covariance.sample(seen, now_ms)
        else:
            self.sampled = False
        portfolio = portfolio_risk(_holdings(status), self.covariance)
        done = one_round(
            status, limits, self.baseline, seq, now_ms, portfolio=portfolio, dexes=dexes
        )
        self.baseline = done.baseline
        rows = self._rows(status, limits, now_ms)
        if not rows:
            return done
        return msgspec.structs.replace(done, put=msgspec.structs.replace(done.put, gamma_rows=rows))

    def _rows(self, status: GatewayStatus, limits: FleetRisk, now_ms: int) -> dict[str, GammaRow]:
        """Rows to send in this round; a gateway that has lost them, or was never told, gets all."""
        held = 0 if status.risk is None else status.risk.gamma_rows
        if limits.cross_market == "off":
            self._sent = {}
            ended = msgspec.structs.replace(_NO_ROW, as_of_ms=now_ms)
            return {view.market: ended for view in status.markets} if held else {}
        if held < len(self._sent):
            self._sent = {}
        names = [view.market for view in status.markets]
        news = reported(status, self.covariance, now_ms)
        self._known = recent(self._known, news, names, now_ms)
        fresh = gamma_rows(
            self._known, self.covariance, now_ms=now_ms, in_force=limits.cross_market == "on"
        )
        rows = due(self._sent, fresh, now_ms)
        self._sent = {m: row for m, row in {**self._sent, **rows}.items() if m in names}
        return rows


def _seen(view: MarketView) -> Seen:
    """The gateway's own touch: an agent's price may come from before a gap."""
    if view.bid_px is None or view.ask_px is None or view.data_age_ms is None:
        return Seen(px=0.0, age_ms=0)
    return Seen(px=(view.bid_px + view.ask_px) / 2, age_ms=view.data_age_ms)


def _holdings(status: GatewayStatus) -> list[Holding]:
    return [
        Holding(
            market=view.market,
            underlying=underlying_of(view),
            usd=usd,
            sigma_bps=None if view.report is None else view.report.sigma_bps,
            nets=view.settings.nets,
        )
        for view, usd in held_usd(status)
    ]
