"""The gateway's files: what is kept comes back, the latch latches even when it can't be read."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.market.types import Coin
from agents.settings import MarketSettings, RiskSettings
from fleet.folder import Folder
from fleet.gateway.api import LatchView
from fleet.gateway.core.lease import Durable
from fleet.gateway.store import KeptMarket, Store, write_durably


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    folder = Folder(tmp_path / "fleet")
    folder.create()
    yield Store(folder)
    shutil.rmtree(folder.run)


def test_nothing_kept_is_nothing_read(store: Store) -> None:
    assert store.leases() == {}
    assert store.limits() == {}
    assert store.markets() == []
    assert store.latch() is None
    assert not store.latched()


def test_what_is_kept_comes_back(store: Store) -> None:
    store.keep_leases({"hyna:BTC": Durable(number=2, generation=7, process="a", pid=9)})
    assert store.leases()["hyna:BTC"].generation == 7
    store.keep_limits({"BTC": 5.0})
    assert store.limits() == {"BTC": 5.0}
    risk = RiskSettings(position_max_usd=1.0, daily_loss_max_usd=1.0)
    settings = MarketSettings(Coin("hyna:BTC"), margin_usd=1.0, leverage=3, risk=risk)
    kept = KeptMarket("hyna:BTC", 3, settings, paused=True, fences={"agent": "loss"})
    store.keep_market(kept)
    assert store.markets() == [kept]
    store.drop_market("hyna:BTC")
    store.drop_market("hyna:BTC")
    assert store.markets() == []


def test_the_latch_is_a_file_and_lifting_removes_it(store: Store) -> None:
    latch = LatchView(reason="storm", by="me", at_ms=5)
    store.keep_latch(latch)
    assert store.latched()
    assert store.latch() == latch
    store.keep_latch(None)
    assert not store.latched()


def test_a_latch_that_cannot_be_read_latches_all_the_same(store: Store) -> None:
    Path(store.halt_path).write_text("halted by hand")
    assert store.latched()
    latch = store.latch()
    assert latch is not None
    assert latch.by == "?"


def test_a_write_replaces_and_leaves_no_part_behind(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_durably(path, b"old, and longer")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_start_is_told(store: Store, tmp_path: Path) -> None:
    store.say("unreachable", "the venue is out of reach")
    told = json.loads((tmp_path / "fleet" / "gateway" / "state.json").read_text())
    assert told == {"state": "unreachable", "text": "the venue is out of reach"}
