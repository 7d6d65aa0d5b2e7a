"""One round of reconciling: each situation of a market, and its one step."""

from decimal import Decimal

import msgspec
import pytest

from agents.settings import StrategySettings
from fleet.gateway.api import CareView
from fleet.supervisor.attempts import BUDGET, Attempts
from fleet.supervisor.reconcile import (
    LOST_MS,
    SILENT_MS,
    Conditions,
    Desired,
    Drain,
    Fail,
    Observed,
    PutSettings,
    Remove,
    SetLeverage,
    Start,
    Step,
    Stop,
    reconcile,
)
from tests.unit.fleet.views import NOW_MS, quoting, settings, view

WANTED = Desired(settings("BTC"), revision=1)
LEAVING = Desired(None, revision=1)
READY = Observed(view("BTC"), process=False, leverage_revision=1)


def step(want: Desired | None, have: Observed | None, **conditions: bool | int) -> Step | None:
    desired = {} if want is None else {"BTC": want}
    observed = {} if have is None else {"BTC": have}
    steps = list(reconcile(desired, observed, Conditions(**conditions), NOW_MS))  # type: ignore[arg-type]
    assert len(steps) <= 1
    return steps[0] if steps else None


def test_a_market_starts_by_settings_then_leverage_then_agent() -> None:
    assert step(WANTED, None) == PutSettings("BTC", 1, settings("BTC"))
    known = Observed(view("BTC"), process=False)
    assert step(WANTED, known) == SetLeverage("BTC", 1, 7, 3, isolated=False)
    assert step(WANTED, READY) == Start("BTC")
    assert step(WANTED, Observed(quoting("BTC"), process=True)) is None


def test_a_dex_that_isolates_gets_isolated_leverage() -> None:
    instrument = view("BTC").instrument
    assert instrument is not None
    isolating = msgspec.structs.replace(instrument, isolated_only=True)
    have = Observed(view("BTC", instrument=isolating), process=False)
    assert step(WANTED, have) == SetLeverage("BTC", 1, 7, 3, isolated=True)


@pytest.mark.parametrize("conditions", [{"halted": True}, {"link_up": False}])
def test_nothing_starts_while_halted_or_without_the_venue(conditions: dict[str, bool]) -> None:
    assert step(WANTED, READY, **conditions) is None


def test_nothing_starts_for_a_market_that_the_venue_does_not_list() -> None:
    assert step(WANTED, msgspec.structs.replace(READY, view=view("BTC", instrument=None))) is None


def test_a_hot_change_reaches_a_running_agent_by_settings_alone() -> None:
    hot = settings("BTC", margin_usd=1_500.0)
    have = Observed(quoting("BTC"), process=True)
    assert step(Desired(hot, revision=2), have) == PutSettings("BTC", 2, hot)


def test_a_change_for_a_new_process_stops_the_old_one_first() -> None:
    changed = settings("BTC", strategy=StrategySettings(sigma_half_life_s=30.0))
    have = Observed(quoting("BTC"), process=True)
    assert isinstance(step(Desired(changed, revision=2), have), Stop)
    gone = msgspec.structs.replace(have, process=False)
    assert step(Desired(changed, revision=2), gone) == PutSettings("BTC", 2, changed)


def test_restarts_keep_most_markets_quoting() -> None:
    names = ["A", "B", "C", "D"]
    changed = StrategySettings(sigma_half_life_s=30.0)
    desired = {n: Desired(settings(n, strategy=changed), revision=2) for n in names}
    observed = {n: Observed(quoting(n), process=True) for n in names}
    steps = list(reconcile(desired, observed, Conditions(max_unavailable=2), NOW_MS))
    assert [s.market for s in steps] == ["A", "B"]
    observed["A"] = Observed(view("A"), process=False)
    observed["B"] = Observed(view("B"), process=False)
    later = list(reconcile(desired, observed, Conditions(max_unavailable=2), NOW_MS))
    assert {type(s) for s in later} == {PutSettings}, "C and D wait until A and B are back"


def test_starts_are_limited_at_a_time() -> None:
    names = [f"M{i}" for i in range(5)]
    desired = {n: Desired(settings(n), revision=1) for n in names}
    observed = {n: Observed(view(n), process=False, leverage_revision=1) for n in names}
    observed["M0"] = Observed(view("M0"), process=True, attempts=Attempts(started_ms=NOW_MS))
    steps = list(reconcile(desired, observed, Conditions(start_parallel=3), NOW_MS))
    assert steps == [Start("M1"), Start("M2")]


def test_an_agent_that_ended_waits_its_turn() -> None:
    attempts = Attempts(started_ms=NOW_MS - 500, ended_ms=NOW_MS - 100, retries=4)
    have = msgspec.structs.replace(READY, attempts=attempts)
    assert step(WANTED, have) is None


def test_an_agent_that_ended_too_often_fails() -> None:
    attempts = Attempts(faults_ms=(NOW_MS - 1_000,) * BUDGET, cause="boom")
    failed = step(WANTED, msgspec.structs.replace(READY, attempts=attempts))
    assert isinstance(failed, Fail)
    assert "boom" in failed.cause
    lasting = msgspec.structs.replace(WANTED, failed=True)
    assert step(lasting, READY) is None
    assert isinstance(step(lasting, Observed(view("BTC"), process=True)), Stop)


def test_a_process_without_lease_is_ended_after_a_while() -> None:
    fresh = Attempts(started_ms=NOW_MS - SILENT_MS + 1)
    old = Attempts(started_ms=NOW_MS - SILENT_MS)
    assert step(WANTED, Observed(view("BTC"), process=True, attempts=fresh)) is None
    wedged = step(WANTED, Observed(view("BTC"), process=True, attempts=old))
    assert isinstance(wedged, Stop)
    assert wedged.fault


def test_a_process_that_lost_its_lease_and_does_not_leave_is_ended_sooner() -> None:
    since_ms = NOW_MS - 2 * LOST_MS
    lately = Attempts(started_ms=since_ms, owned_ms=NOW_MS - LOST_MS + 1)
    stopped = Attempts(started_ms=since_ms, owned_ms=NOW_MS - LOST_MS)
    assert step(WANTED, Observed(view("BTC"), process=True, attempts=lately)) is None
    ended = step(WANTED, Observed(view("BTC"), process=True, attempts=stopped))
    assert isinstance(ended, Stop)
    assert ended.fault


def test_a_market_leaves_by_drain_then_its_agent_then_removal() -> None:
    assert step(LEAVING, Observed(quoting("BTC"), process=True)) == Drain("BTC")
    assert step(LEAVING, Observed(quoting("BTC", draining=True), process=True)) is None
    resting = Observed(view("BTC", draining=True, open_orders=1), process=False)
    assert step(LEAVING, resting) is None
    held = view("BTC", draining=True, position_sz=Decimal(1))
    assert step(LEAVING, Observed(held, process=False)) is None, "nobody has looked at it yet"
    watched = msgspec.structs.replace(held, care=CareView("hold", "drain", 0, 0, "", busy=False))
    assert step(LEAVING, Observed(watched, process=False)) == Remove("BTC")
    empty = Observed(view("BTC", draining=True), process=False)
    assert step(LEAVING, empty) == Remove("BTC")
    assert step(LEAVING, None) is None


def test_a_market_wanted_again_while_it_drains_begins_anew() -> None:
    again = Desired(settings("BTC"), revision=2)
    draining = quoting("BTC", draining=True)
    assert isinstance(step(again, Observed(draining, process=True)), Stop)
    assert step(again, Observed(draining, process=False)) == PutSettings("BTC", 2, settings("BTC"))


def test_a_process_that_nobody_desires_is_ended() -> None:
    assert isinstance(step(None, Observed(None, process=True)), Stop)
