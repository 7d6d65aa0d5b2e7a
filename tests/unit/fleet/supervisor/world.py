"""A cluster and a gateway in memory, as far as the supervisor can tell them from real ones."""

from collections.abc import Iterator
from typing import Any

import msgspec

from fleet.gateway.api import (
    ActionPost,
    ApiError,
    CapsPut,
    GatewayStatus,
    HaltRequest,
    MarketPut,
    MarketView,
    ResumeRequest,
    RiskView,
)
from fleet.gateway.client import ApiFailure, Unreachable, market_path
from fleet.supervisor.attempts import Departure
from fleet.supervisor.gates import Evidence
from fleet.supervisor.ports import ClusterAway
from tests.unit.fleet.supervisor.bank import Bank
from tests.unit.fleet.views import quoting, status, view


class World:
    """Both ends: a started agent takes its lease at once, a dead one loses it."""

    def __init__(self) -> None:
        self.markets_put: dict[str, MarketView] = {}
        self.agents: set[str] = set()
        self.risk = False
        self.risk_age_ms: int | None = None
        self.calls: list[str] = []
        self.leverages: list[dict[str, Any]] = []
        self.gateway_up = True
        self.cluster_up = True
        self.halted: Any = None
        self.resume_refused: ApiError | None = None
        self.words: dict[str, Departure] = {}
        self.leverage_answer: Any = {"status": "ok"}
        self.caps_put: CapsPut | None = None
        self.bank = Bank()
        self.evidence: dict[str, Evidence] = {}

    def look(self, market: str, _since_ms: int) -> Evidence:
        """The ledger's part."""
        return self.evidence.get(market, Evidence())

    # ── the gateway ──────────────────────────────────────────────────────────────────────────

    def status(self) -> GatewayStatus:
        self._reach()
        views = []
        for market, held in sorted(self.markets_put.items()):
            make = quoting if market in self.agents else view
            views.append(
                make(
                    market,
                    settings=held.settings,
                    revision=held.revision,
                    draining=held.draining,
                    position_sz=held.position_sz,
                    entry_px=held.entry_px,
                    isolated_raw=held.isolated_raw,
                )
            )
        age_ms = self.risk_age_ms
        heard = None if age_ms is None else RiskView(1, 0, age_ms, "normal", "")
        caps = self.caps_put.caps if self.caps_put else None
        seen = status(*views, halt=self.halted, risk=heard, dexes=self.bank.views())
        return msgspec.structs.replace(seen, caps=caps)

    def put(self, path: str, body: object) -> object:
        self._reach()
        if isinstance(body, CapsPut):
            assert path == "/v1/caps"
            self.caps_put = body
            return {}
        assert isinstance(body, MarketPut)
        market = body.settings.market
        assert path == market_path(market)
        self.calls.append(f"put {market}")
        self.markets_put[market] = view(market, settings=body.settings, revision=body.revision)
        return {}

    def post(self, path: str, body: object = None) -> object:
        self._reach()
        if path == "/v1/actions":
            assert isinstance(body, ActionPost)
            if body.action["type"] != "updateLeverage":
                return self.bank.act(body)
            self.leverages.append(body.action)
            return self.leverage_answer
        if path == "/v1/info":
            assert isinstance(body, dict)
            return self.bank.info(body)
        if path == "/v1/resume":
            assert isinstance(body, ResumeRequest)
            self.calls.append(f"resume {body.reason} by {body.by}")
            if self.resume_refused is not None:
                raise ApiFailure(self.resume_refused)
            self.halted = None
            return {}
        market, verb = path.removeprefix("/v1/markets/").replace("%3A", ":").split("/")
        self.calls.append(f"{verb} {market}")
        if market not in self.markets_put:
            raise ApiFailure(ApiError("unknown_market", 3, f"no market {market} here"))
        if verb == "drain":
            drained = msgspec.structs.replace(self.markets_put[market], draining=True)
            self.markets_put[market] = drained
        return {}

    def halt(self, request: HaltRequest) -> Iterator[dict[str, Any]]:
        self._reach()
        self.calls.append(f"halt {request.reason} by {request.by}, all: {request.all}")
        yield {"stage": "latched", "ms": 0}
        yield {"halted": True, "reason": request.reason, "flat_of_orders": True}

    def delete(self, path: str) -> object:
        self._reach()
        market = path.removeprefix("/v1/markets/").replace("%3A", ":")
        self.calls.append(f"delete {market}")
        del self.markets_put[market]
        return {}

    def _reach(self) -> None:
        if not self.gateway_up:
            raise Unreachable("no gateway answers")

    # ── the cluster ──────────────────────────────────────────────────────────────────────────

    def markets(self) -> frozenset[str]:
        if not self.cluster_up:
            raise ClusterAway("Ray does not answer")
        return frozenset(self.agents)

    def risk_runs(self) -> bool:
        return self.risk

    def start_agent(self, market: str) -> None:
        self.calls.append(f"start {market}")
        self.agents.add(market)

    def stop_agent(self, market: str) -> None:
        self.calls.append(f"kill {market}")
        self.agents.discard(market)

    def start_risk(self) -> None:
        self.calls.append("start risk")
        self.risk = True

    def stop_risk(self) -> None:
        self.calls.append("kill risk")
        self.risk = False

    def explain(self, market: str) -> bytes | None:
        if not self.cluster_up:
            raise ClusterAway("Ray does not answer")
        return b'{"market":"%s"}' % market.encode() if market in self.agents else None

    def departure(self, market: str) -> Departure | None:
        return self.words.get(market)

    def last_lines(self, market: str) -> str:
        return f"agent.exit of {market}"
