"""The watch as it runs: settings taken over meanwhile, alerts and heartbeat at a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.alerts.conditions import Seen
from fleet.alerts.look import look
from fleet.alerts.settings import settings_path
from fleet.alerts.watch import Watch
from fleet.folder import Folder
from fleet.gateway.records import Alerted
from tests.unit.fleet.alerts.test_conditions import healthy, seen
from tests.unit.fleet.alerts.test_sinks import Ear, Said, until

NOW = 1_800_000_000_000


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


def fleet(tmp_path: Path, **told: Any) -> Folder:
    folder = Folder(tmp_path / "prod")
    folder.root.mkdir()
    folder.fleet_json.write_text(json.dumps({"fleet": "prod", "network": "mainnet"}))
    settings_path(folder).write_text(json.dumps(told))
    return folder


def texts(ear: Ear) -> list[str]:
    return [told["text"] for _, told in ear.heard if "text" in told]


def test_what_stands_is_posted_and_its_end_too(tmp_path: Path, ear: Ear) -> None:
    folder = fleet(tmp_path, webhook=f"{ear.url}/secret")
    now, said = [seen(None)], Said()
    watch = Watch(folder, lambda: now[0], said)
    watch.turn(NOW)
    watch.turn(NOW + 6_000)
    until(lambda: len(ear.heard) == 1)
    now[0] = seen(healthy())
    watch.turn(NOW + 8_000)
    watch.turn(NOW + 14_000)
    until(lambda: len(ear.heard) == 2)
    first, last = texts(ear)
    assert first.startswith("[critical] mainnet/prod: the gateway does not answer")
    assert last.startswith("[info] mainnet/prod: over: the gateway does not answer")
    assert "secret" not in str(said.lines)
    again = Watch(folder, lambda: seen(None), said)
    again.turn(NOW + 15_000)
    assert [line["event"] for line in said.lines] == ["alert", "alert"]


def test_an_event_of_the_log_is_sent_and_a_level_is_left_to_the_state(
    tmp_path: Path, ear: Ear
) -> None:
    watch = Watch(fleet(tmp_path, webhook=ear.url), lambda: seen(healthy()), Said())
    yours = "ETH left the fleet with a position of 2: it is yours now"
    watch.heard([Alerted("critical", "kill", "BTC: loss", "BTC"), Alerted("critical", "halt", "x")])
    watch.heard([Alerted("warning", "orphan", yours, "ETH")])
    watch.turn(NOW)
    until(lambda: len(ear.heard) == 2)
    assert texts(ear) == [
        "[critical] mainnet/prod: BTC: loss", f"[warning] mainnet/prod: {yours}",
    ]  # fmt: skip


def test_the_heartbeat_beats_only_while_the_gateway_answers(tmp_path: Path, ear: Ear) -> None:
    folder = fleet(tmp_path, heartbeat=f"{ear.url}/beat", heartbeat_every_s=0.0)
    now = [seen(None)]
    watch = Watch(folder, lambda: now[0], Said())
    watch.turn(NOW)
    now[0] = seen(healthy())
    watch.turn(NOW + 1)
    until(lambda: len(ear.heard) == 1)
    ((path, told),) = ear.heard
    assert (path, told["halted"], told["markets"]) == ("/beat", False, 2)


def test_settings_are_taken_over_and_a_broken_file_changes_nothing(
    tmp_path: Path, ear: Ear
) -> None:
    folder = fleet(tmp_path)
    watch = Watch(folder, lambda: seen(healthy()), Said())
    watch.turn(NOW)
    settings_path(folder).write_text(json.dumps({"webhook": ear.url, "severity_min": "info"}))
    watch.turn(NOW + 1)
    settings_path(folder).write_text("{")
    watch.heard([Alerted("info", "caretaker", "closed", "BTC")])
    watch.turn(NOW + 2)
    until(lambda: len(ear.heard) == 1)


def test_a_look_at_a_fleet_that_is_not_there_sees_it_away(tmp_path: Path) -> None:
    found: Seen = look(fleet(tmp_path), seen(None).books)
    assert found.gateway is None
    assert not found.desired
    assert found.processes == {"ray": False, "supervisor": False}
