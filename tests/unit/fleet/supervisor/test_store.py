"""The store: what was written before a crash is there after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.manifests.spec import encode
from fleet.supervisor.phases import Phase
from fleet.supervisor.store import Store, read_spec
from tests.unit.fleet.views import spec


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.db")
    yield opened
    opened.close()


def revise(store: Store, *markets: str, at_ms: int = 1, leaving: tuple[str, ...] = ()) -> int:
    desired = dict.fromkeys(markets, True) | dict.fromkeys(leaving, False)
    return store.revise(encode(spec(*markets)).decode(), desired, "ann", at_ms)


def test_a_revision_is_there_for_the_next_supervisor(store: Store, tmp_path: Path) -> None:
    assert store.current() is None
    assert revise(store, "BTC", "ETH") == 1
    assert revise(store, "BTC", at_ms=2, leaving=("ETH",)) == 2
    store.close()
    again = Store(tmp_path / "store.db")
    rows = again.markets()
    assert [r.rev for r in again.revisions()] == [2, 1]
    assert (rows["ETH"].desired, rows["ETH"].phase) == (False, Phase.DRAINING)
    assert rows["BTC"].desired
    again.close()
    found = read_spec(tmp_path / "store.db")
    assert found == (2, spec("BTC"))


def test_no_store_is_no_spec(tmp_path: Path) -> None:
    assert read_spec(tmp_path / "store.db") is None


def test_a_failed_revision_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(AttributeError):
        store.revise("{}", None, "ann", 1)  # type: ignore[arg-type]
    assert store.current() is None
    assert revise(store, "BTC") == 1


def test_a_phase_keeps_its_beginning_while_only_its_reason_changes(store: Store) -> None:
    revise(store, "BTC")
    store.note_phase("BTC", Phase.QUOTING, None, 10)
    store.note_phase("BTC", Phase.QUOTING, "slow", 20)
    row = store.markets()["BTC"]
    assert (row.phase, row.reason, row.since_ms) == (Phase.QUOTING, "slow", 10)
    store.note_phase("BTC", Phase.REDUCING, "slow", 30)
    assert store.markets()["BTC"].since_ms == 30


def test_a_failed_market_boots_again_when_it_is_desired_again(store: Store) -> None:
    revise(store, "BTC")
    store.note_phase("BTC", Phase.FAILED, "boom", 10)
    store.count_restart("BTC")
    revise(store, "BTC", at_ms=20)
    row = store.markets()["BTC"]
    assert (row.phase, row.reason, row.restarts) == (Phase.BOOT, None, 1)


def test_a_running_market_keeps_its_phase_over_a_revision(store: Store) -> None:
    revise(store, "BTC")
    store.note_phase("BTC", Phase.QUOTING, None, 10)
    revise(store, "BTC", at_ms=20)
    assert store.markets()["BTC"].phase is Phase.QUOTING
    assert store.markets()["BTC"].revision == 2


def test_standing_down_desires_nothing_and_is_audited(store: Store) -> None:
    revise(store, "BTC")
    store.stand_down("ann", 30)
    row = store.markets()["BTC"]
    assert (row.desired, row.phase) == (False, Phase.STOPPED)
    assert [a.verb for a in store.audits()] == ["down", "apply"]


def test_the_store_is_nobody_elses(store: Store, tmp_path: Path) -> None:
    assert store.current() is None
    assert (tmp_path / "store.db").stat().st_mode & 0o077 == 0
