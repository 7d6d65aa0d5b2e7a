"""An agent's last word, and what its log says where it left none."""

import json
from pathlib import Path

from fleet.cluster.departures import log_end, read_departure, write_departure
from fleet.folder import Folder
from fleet.supervisor.attempts import Departure


def logged(folder: Folder, *rows: dict[str, str]) -> None:
    folder.logs.mkdir(parents=True)
    folder.log("BTC").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_word_is_kept_and_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert read_departure(folder, "hyna:BTC") is None
    word = Departure(75, "refused", 5, 77)
    write_departure(folder, "hyna:BTC", word)
    assert read_departure(folder, "hyna:BTC") == word


def test_warnings_and_errors_are_the_evidence(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    logged(
        folder,
        {"event": "gateway.lost", "level": "warning", "reason": "closed"},
        {"event": "agent.broken", "level": "error", "error": "KeyError"},
        {"event": "agent.exit", "level": "info"},
    )
    assert log_end(folder, "BTC") == "gateway.lost closed | agent.broken KeyError"


def test_one_that_was_killed_leaves_the_last_thing_it_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert log_end(folder, "BTC") == ""
    logged(folder, {"event": "order.place", "level": "info", "at": "2026-01-01T00:00:00Z"})
    assert log_end(folder, "BTC") == "order.place at 2026-01-01T00:00:00Z"
