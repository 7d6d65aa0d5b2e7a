"""The file of an agent's beliefs: whole, of this market and lately, or as if it were not there."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from agents.estimators.checkpoint import VERSION, decode, encode
from agents.estimators.panel import Panel
from agents.events import Bbo
from agents.market.types import Coin, Level
from agents.market.units import NS_PER_MS
from agents.runtime.beliefs import Beliefs
from agents.settings import StrategySettings
from agents.telemetry.logs import open_log

COIN = Coin("xyz:NVDA")
NOW_MS = 1_750_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agents" / "xyz%3ANVDA" / "beliefs.json"


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@pytest.fixture
def kept(path: Path, log_path: Path) -> Beliefs:
    return Beliefs(path, COIN, open_log(log_path))


def _panel(seconds: int) -> Panel:
    panel = Panel(StrategySettings(), NOW_MS * NS_PER_MS)
    for second in range(seconds):
        at_ms = NOW_MS + second * 1_000
        bbo = (Level(100.0 + second % 2, 1.0), Level(102.0 + second % 2, 1.0))
        panel.on_bbo(Bbo(coin=COIN, venue_ms=at_ms, bbo=bbo), at_ms * NS_PER_MS)
        panel.estimates(at_ms * NS_PER_MS)
    return panel


def test_what_was_saved_is_found(kept: Beliefs, path: Path) -> None:
    panel = _panel(30)
    asyncio.run(kept.save(panel))
    raw = kept.read(NOW_MS + 60_000)
    assert raw == encode(panel.checkpoint(COIN))
    assert path.stat().st_mode & 0o777 == 0o600
    kept.save_last(_panel(40))
    raw = kept.read(NOW_MS + 60_000)
    assert raw is not None
    assert decode(raw, coin=COIN, now_ms=NOW_MS + 60_000)[1] == 60.0 - 39.0
    assert [each.name for each in path.parent.iterdir()] == ["beliefs.json"]


async def test_a_panel_that_knows_too_little_leaves_what_is_there(kept: Beliefs) -> None:
    kept.save_last(_panel(30))
    held = kept.read(NOW_MS + 60_000)
    await kept.save(_panel(5))
    kept.save_last(_panel(5))
    assert kept.read(NOW_MS + 60_000) == held


def test_none_is_none_and_nothing_is_said(kept: Beliefs, log_path: Path) -> None:
    assert kept.read(NOW_MS) is None
    assert not log_path.exists() or not log_path.read_text()


def test_another_markets_is_ignored_and_said(kept: Beliefs, path: Path, log_path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(encode(_panel(30).checkpoint(Coin("BTC"))))
    assert kept.read(NOW_MS + 30_000) is None
    (line,) = log_path.read_text().splitlines()
    told = msgspec.json.decode(line)
    assert told["event"] == "beliefs.ignored"
    assert "not of xyz:NVDA" in told["error"]


def test_torn_aged_and_of_another_version_is_ignored_and_said(
    kept: Beliefs, path: Path, log_path: Path
) -> None:
    path.parent.mkdir(parents=True)
    held = _panel(30).checkpoint(COIN)
    raw = encode(held)
    later = msgspec.structs.replace(held, version=VERSION + 1)
    for each, now_ms in (
        (raw[: len(raw) // 2], NOW_MS + 30_000),
        (raw, NOW_MS + 10_000_000),
        (encode(later), NOW_MS + 30_000),
        (b"\0" * 100, NOW_MS + 30_000),
    ):
        path.write_bytes(each)
        assert kept.read(now_ms) is None
    assert log_path.read_text().count("beliefs.ignored") == 4


def test_a_disk_that_takes_nothing_is_said_and_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("a file where a folder should be")
    log_path = tmp_path / "log.jsonl"
    kept = Beliefs(tmp_path / "agents" / "BTC" / "beliefs.json", Coin("BTC"), open_log(log_path))
    kept.save_last(_panel(30))
    assert "beliefs.unsaved" in log_path.read_text()
