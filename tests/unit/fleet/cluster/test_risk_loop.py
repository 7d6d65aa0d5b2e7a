"""Rounds of risk against a gateway in memory: published, kept, and a breach halts."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.telemetry.logs import open_log
from fleet.cluster.risk_loop import RiskRounds
from fleet.folder import Folder
from fleet.gateway.api import DirectivesPut, GatewayStatus, HaltRequest, LatchView
from fleet.manifests.spec import encode
from fleet.risk.covariance import Kept
from fleet.supervisor.store import Store
from tests.unit.fleet.views import LATCH, dex_view, spec, status, view


class FakeGateway:
    """Holds one account; ``equity_usd`` moves it."""

    def __init__(self) -> None:
        self.equity_usd = 10_000
        self.latch: LatchView | None = None
        self.published: list[DirectivesPut] = []
        self.halts: list[HaltRequest] = []

    def status(self) -> GatewayStatus:
        now_ms = 4_000_000_000_000  # frames newer than any clock: never stale
        dex = dex_view(account_value=Decimal(self.equity_usd), as_of_ms=now_ms)
        return status(view("BTC"), dexes=(dex,), halt=self.latch)

    def put(self, path: str, body: object) -> object:
        assert path == "/v1/directives"
        assert isinstance(body, DirectivesPut)
        self.published.append(body)
        return {}

    def halt(self, request: HaltRequest) -> Iterator[dict[str, Any]]:
        self.halts.append(request)
        self.latch = LATCH
        yield {"halted": True, "reason": request.reason}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "paper")
    made.create()
    store = Store(made.store_db)
    store.revise(encode(spec("BTC")).decode(), {"BTC": True}, "ann", 1)
    store.close()
    return made


def rounds(folder: Folder, gateway: FakeGateway) -> RiskRounds:
    return RiskRounds(folder, gateway, open_log(folder.log("risk")))


def test_each_round_is_published_under_a_rising_number(folder: Folder) -> None:
    gateway = FakeGateway()
    risk = rounds(folder, gateway)
    risk.turn()
    risk.turn()
    rounds(folder, gateway).turn()  # a new process begins no lower
    first, second, third = (put.seq for put in gateway.published)
    assert first < second <= third
    assert {put.state for put in gateway.published} == {"normal"}


def test_a_days_loss_halts_once_and_a_restart_does_not_forget_it(folder: Folder) -> None:
    gateway = FakeGateway()
    rounds(folder, gateway).turn()
    gateway.equity_usd = 9_400
    risk = rounds(folder, gateway)
    risk.turn()
    risk.turn()
    assert gateway.published[-1].state == "halt"
    (halt,) = gateway.halts
    assert halt.by == "risk"
    assert "600.00" in halt.reason
    assert not halt.flatten


def test_a_resume_starts_the_drawdown_anew_but_not_the_day(folder: Folder) -> None:
    gateway = FakeGateway()
    risk = rounds(folder, gateway)
    risk.turn()
    gateway.equity_usd = 9_000
    risk.turn()
    gateway.latch = None
    risk.turn()
    kept = json.loads((folder.root / "risk.json").read_text())
    assert (kept["peak_usd"], kept["day_open_usd"]) == (9_000.0, 10_000.0)
    assert len(gateway.halts) == 2, "the day's loss still stands"


def test_before_the_first_apply_there_is_nothing_to_judge(tmp_path: Path) -> None:
    made = Folder(tmp_path / "empty")
    made.create()
    gateway = FakeGateway()
    rounds(made, gateway).turn()
    assert gateway.published == []


def test_a_gateway_that_does_not_know_its_account_yet_is_given_time(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway()
    risk = rounds(folder, gateway)
    risk.turn()
    monkeypatch.setattr(gateway, "status", lambda: status(view("BTC"), dexes=()))
    risk.turn()
    assert len(gateway.published) == 1, "the last word stands, and ages"
    monkeypatch.setattr("fleet.cluster.risk_loop.BLIND_MS", 0)
    risk.turn()
    assert gateway.published[-1].state == "reduce_only"


def test_a_breach_shuts_the_fence_before_the_agents_are_told(folder: Folder) -> None:
    gateway = FakeGateway()
    risk = rounds(folder, gateway)
    risk.turn()
    order: list[str] = []
    put, halt = gateway.put, gateway.halt

    def seen_put(path: str, body: object) -> object:
        order.append("put")
        return put(path, body)

    def seen_halt(request: HaltRequest) -> Iterator[dict[str, Any]]:
        order.append("fence")
        yield from halt(request)
        order.append("proven")

    gateway.put, gateway.halt = seen_put, seen_halt  # type: ignore[method-assign]
    gateway.equity_usd = 9_400
    risk.turn()
    assert order == ["fence", "put", "proven"]
    assert gateway.published[-1].state == "halt"


def test_what_it_knows_of_the_markets_outlasts_the_process(folder: Folder) -> None:
    gateway = FakeGateway()
    rounds(folder, gateway).turn()
    stored = folder.root / "covariance.msgpack"
    assert stored.stat().st_mode & 0o777 == 0o600
    kept = msgspec.msgpack.decode(stored.read_bytes(), type=Kept)
    assert kept.markets == ("BTC",)
    rounds(folder, gateway).turn()
    assert msgspec.msgpack.decode(stored.read_bytes(), type=Kept) == kept, "no new sample was due"


def test_a_store_that_cannot_be_read_is_begun_anew(folder: Folder) -> None:
    gateway = FakeGateway()
    (folder.root / "covariance.msgpack").write_bytes(b"torn")
    rounds(folder, gateway).turn()
    assert "covariance.unreadable" in folder.log("risk").read_text()
    assert gateway.published[-1].state == "normal"
