"""A revision's way: canaries first and watched, then the rest, or back with its reason."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.commands import Report
from agents.telemetry.logs import open_log
from fleet.gateway.api import MarketView
from fleet.manifests.spec import FleetSpec, RolloutSpec, encode
from fleet.supervisor.conductor import Conductor, Turned
from fleet.supervisor.gates import Evidence, SeenFill
from fleet.supervisor.phases import Phase
from fleet.supervisor.rollout import Rollout, begin, read_rollout
from fleet.supervisor.store import Store
from tests.unit.fleet.views import LATCH, NOW_MS, settings, spec, status, view

NAMES = ("BTC", "ETH", "SOL")
TOOK = SeenFill(NOW_MS + 5_000, 1, 100.0, 1.0, 0.0, crossed=True)
LEVERAGE_5 = {name: settings(name, leverage=5) for name in NAMES}


class Rig:
    """A store with a first revision that runs, and a conductor over it."""

    def __init__(self, folder: Path, **how: Any) -> None:
        self.path = folder / "store.db"
        self.log = open_log(folder / "log.jsonl")
        self.how = RolloutSpec(canary=("BTC",), bake_s=60.0, **how)
        self.evidence: dict[str, Evidence] = {}
        self.now_ms = NOW_MS
        self.quoting_rev: dict[str, int] = {}
        self.half_spread_bps = 4.0
        self.open()
        self.apply(spec(*NAMES, rollout=self.how), running=False)
        self.settle()

    def open(self) -> None:
        self.store = Store(self.path)
        self.conductor = Conductor(self.store, self._look, self.log)

    def _look(self, market: str, since_ms: int) -> Evidence:
        assert since_ms <= self.now_ms
        return self.evidence.get(market, Evidence())

    def apply(self, wanted: FleetSpec, *, running: bool = True) -> Rollout:
        """As the control API does."""
        desired = dict.fromkeys(wanted.markets, True)
        rollout = begin(
            desired,
            wanted.rollout.canary if running else (),
            running=NAMES if running else (),
            base=self.store.rev() or None,
            at_ms=self.now_ms,
        )
        first = {name: True for name in desired if name not in rollout.pending}

        def also(rev: int) -> None:
            self.conductor.book.put(msgspec.structs.replace(rollout, rev=rev))

        self.store.revise(encode(wanted).decode(), first, "ann", self.now_ms, also=also)
        return rollout

    def settle(self) -> None:
        """Every market quotes by the settings that are in force for it."""
        for name, row in self.store.markets().items():
            self.store.note_phase(name, Phase.QUOTING, None, self.now_ms)
            self.quoting_rev[name] = row.revision

    def views(self) -> list[MarketView]:
        rows = self.store.markets()
        report = Report(phase="QUOTING", half_spread_bps=self.half_spread_bps)
        return [
            msgspec.structs.replace(
                view(name),
                revision=row.revision,
                report=report,
                lease=msgspec.structs.replace(view(name).lease, revision=self.quoting_rev[name]),
            )
            for name, row in rows.items()
        ]

    def turn(self, after_s: float = 1.5, **changed: Any) -> Turned:
        self.now_ms += round(after_s * 1_000)
        seen = status(*self.views(), as_of_ms=self.now_ms, **changed)
        return self.conductor.turn(seen, self.store.markets(), self.how, self.now_ms)

    def revisions(self) -> dict[str, int]:
        return {name: row.revision for name, row in self.store.markets().items()}

    @property
    def stage(self) -> str:
        last = self.conductor.book.last()
        assert last is not None
        return last.stage

    def audits(self) -> list[tuple[str, str]]:
        return [(row.verb, row.outcome) for row in self.store.audits() if row.by == "supervisor"]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def changed(rig: Rig, **more: Any) -> FleetSpec:
    return spec(*NAMES, rollout=rig.how, **{"markets": LEVERAGE_5, **more})


def test_the_canary_goes_alone_and_the_rest_after_its_time(rig: Rig) -> None:
    rig.turn()
    assert rig.stage == "done"
    rig.apply(changed(rig))
    assert rig.revisions() == {"BTC": 2, "ETH": 1, "SOL": 1}
    in_force = rig.store.in_force(rig.store.spec(2), rig.store.markets())
    assert [in_force.markets[name].leverage for name in NAMES] == [5, 3, 3]
    assert rig.turn() == Turned(), "it does not quote by the new settings yet"
    rig.settle()
    assert rig.turn() == Turned()
    assert rig.turn(58) == Turned()
    assert rig.turn(3) == Turned(wake=("ETH", "SOL"))
    assert rig.revisions() == {"BTC": 2, "ETH": 2, "SOL": 2}
    assert rig.audits() == [("promote", "BTC: inconclusive, promoted as configured")]
    assert rig.stage == "wave"
    rig.settle()
    rig.turn()
    assert rig.stage == "done"


def test_a_gate_stops_it_at_one_market_and_goes_back_with_the_reason(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.settle()
    rig.turn()
    rig.evidence["BTC"] = Evidence(fills=(TOOK,))
    assert rig.turn() == Turned(wake=("BTC",))
    assert rig.stage == "rolled_back"
    assert rig.revisions() == {"BTC": 3, "ETH": 1, "SOL": 1}
    assert rig.store.spec(3).markets["BTC"].leverage == 3
    assert rig.audits()[0][0] == "rollback"
    assert ("rollback", "BTC: 1 taker fills, more than 0") in rig.audits()
    told = read_rollout(rig.path)
    assert told is not None
    assert told.told == "BTC: 1 taker fills, more than 0"


def test_a_canary_whose_spread_is_below_the_fee_is_stopped_at_one_market(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.settle()
    rig.half_spread_bps = 1.2
    for _ in range(4):
        rig.turn()
        assert rig.stage == "canary", "for a moment it may be"
    rig.turn()
    rig.turn()
    assert rig.stage == "rolled_back"
    assert rig.revisions() == {"BTC": 3, "ETH": 1, "SOL": 1}
    why = "BTC: its half-spread of 1.20 bps is below the fee, 1.50"
    assert ("rollback", why) in rig.audits()


def test_a_canary_with_a_wrong_tick_is_stopped_at_one_market(rig: Rig) -> None:
    """Each of its orders is refused: prices that are no multiple of the tick."""
    rig.apply(changed(rig))
    rig.settle()
    rig.turn()
    rig.evidence["BTC"] = Evidence(rejected=4)
    assert rig.turn() == Turned(), "a few may be chance"
    rig.evidence["BTC"] = Evidence(rejected=12)
    assert rig.turn() == Turned(wake=("BTC",))
    assert rig.stage == "rolled_back"
    assert rig.revisions() == {"BTC": 3, "ETH": 1, "SOL": 1}
    why = "BTC: 12 orders refused in 12 requests, more than 5%"
    assert ("rollback", why) in rig.audits()


def test_a_canary_that_fails_to_run_goes_back(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.store.note_phase("BTC", Phase.FAILED, "ended 5 times", rig.now_ms)
    rig.turn()
    assert rig.stage == "rolled_back"
    assert ("rollback", "BTC: ended 5 times") in rig.audits()


def test_a_canary_that_never_quotes_goes_back(rig: Rig) -> None:
    rig.apply(changed(rig))
    assert rig.turn(179) == Turned()
    rig.turn(2)
    assert rig.stage == "rolled_back"
    assert ("rollback", "BTC: did not quote within 180 s") in rig.audits()


def test_going_back_lifts_no_limit(rig: Rig) -> None:
    small = {name: settings(name, margin_usd=400.0, leverage=5) for name in NAMES}
    rig.apply(changed(rig, markets=small))
    rig.settle()
    rig.turn()
    rig.evidence["BTC"] = Evidence(fills=(TOOK,))
    rig.turn()
    assert rig.store.spec(3).markets["BTC"].margin_usd == 400.0
    assert rig.store.spec(3).markets["BTC"].leverage == 3


@pytest.mark.parametrize(
    ("wish", "stage", "turned"),
    [
        ("promote", "wave", Turned(wake=("ETH", "SOL"))),
        ("rollback", "rolled_back", Turned(wake=("BTC",))),
        ("pause", "paused", Turned(pause=("BTC",))),
    ],
)
def test_inconclusive_as_configured(tmp_path: Path, wish: Any, stage: str, turned: Turned) -> None:
    rig = Rig(tmp_path, on_inconclusive=wish)
    rig.apply(changed(rig))
    rig.settle()
    rig.turn()
    assert rig.turn(61) == turned
    assert rig.stage == stage


def test_a_failure_may_pause_instead(tmp_path: Path) -> None:
    rig = Rig(tmp_path, on_fail="pause")
    rig.apply(changed(rig))
    rig.settle()
    rig.turn()
    rig.evidence["BTC"] = Evidence(fills=(TOOK,))
    assert rig.turn() == Turned(pause=("BTC",))
    assert rig.revisions() == {"BTC": 2, "ETH": 1, "SOL": 1}
    assert rig.audits() == [("pause", "BTC: 1 taker fills, more than 0")]


def test_a_supervisor_that_dies_anywhere_goes_on_where_it_was(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.settle()
    for after_s in (1.5, 30.0, 31.0):
        rig.store.close()
        rig.open()
        rig.turn(after_s)
    assert rig.stage == "wave", "the time before the restarts counts"
    rig.store.close()
    rig.open()
    assert rig.revisions() == {"BTC": 2, "ETH": 2, "SOL": 2}


def test_while_halted_or_blind_nothing_is_judged(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.settle()
    rig.turn()
    rig.evidence["BTC"] = Evidence(fills=(TOOK,))
    assert rig.turn(100, halt=LATCH) == Turned()
    assert rig.turn(100, link="down") == Turned()
    assert rig.stage == "canary"


def test_a_market_that_fails_after_the_canaries_goes_back_too(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.settle()
    rig.turn()
    rig.turn(61)
    rig.store.note_phase("ETH", Phase.FAILED, "boom", rig.now_ms)
    rig.turn()
    assert rig.stage == "rolled_back"
    assert set(rig.revisions().values()) == {3}


def test_a_newer_revision_ends_the_one_under_way(rig: Rig) -> None:
    rig.apply(changed(rig))
    rig.apply(changed(rig, markets={name: settings(name, leverage=7) for name in NAMES}))
    rows = dict(rig.store.db.execute("SELECT rev, stage FROM rollout"))
    assert rows == {1: "superseded", 2: "superseded", 3: "canary"}


def test_what_did_not_run_waits_only_until_the_canary_quotes() -> None:
    fresh = begin({"BTC": True, "ETH": True}, ("BTC",), running=(), base=None, at_ms=1)
    assert fresh.fresh
    assert fresh.pending == {"ETH": True}


def test_without_a_canary_among_them_all_go_at_once() -> None:
    rollout = begin({"ETH": True, "SOL": False}, ("BTC",), running=NAMES, base=1, at_ms=1)
    assert (rollout.stage, rollout.pending) == ("wave", {})
