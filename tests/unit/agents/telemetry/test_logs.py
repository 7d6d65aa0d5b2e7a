"""The log: JSON lines, bounded, without keys."""

import json
from pathlib import Path

import pytest

from agents.telemetry.logs import open_log, redact

KEY = "4f" * 32


def test_a_fact_is_one_json_line_with_what_was_bound(tmp_path: Path) -> None:
    log = open_log(tmp_path / "logs" / "BTC.jsonl", market="BTC")
    log.info("order.place", sz="0.1")
    log.warning("request.refused", reason="fenced")
    first, second = (json.loads(x) for x in (tmp_path / "logs/BTC.jsonl").read_text().splitlines())
    assert (first["event"], first["market"], first["sz"]) == ("order.place", "BTC", "0.1")
    assert (first["level"], second["level"]) == ("info", "warning")
    assert first["at"].endswith("Z")


@pytest.mark.parametrize("text", [KEY, f"0x{KEY}", f'{{"key":"{KEY.upper()}"}}', f"a {KEY}."])
def test_what_looks_like_a_key_is_left_out(text: str) -> None:
    assert KEY not in redact(text).lower()


@pytest.mark.parametrize("text", ["0x" + "4f" * 20, "0x" + "4f" * 16, "4f" * 33, "nothing"])
def test_addresses_and_cloids_stay(text: str) -> None:
    assert redact(text) == text


def test_no_key_reaches_the_file_however_it_came(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    log = open_log(path, market="BTC")
    try:
        raise ValueError(KEY)
    except ValueError:
        log.exception("agent.broken", deep={"inner": [KEY]}, **{KEY: 1})
    assert KEY not in path.read_text()


def test_a_log_is_rotated_before_it_grows_too_large(tmp_path: Path) -> None:
    log = open_log(tmp_path / "x.jsonl", bytes_max=2_000)
    for n in range(200):
        log.info("order.place", n=n)
    files = list(tmp_path.glob("x.jsonl*"))
    assert 2 <= len(files) <= 4
    assert all(path.stat().st_size <= 2_000 for path in files)
