"""The journal: state and lines make the state of the last block, however the venue ended."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agents.sim.snapshot import LISTS
from fleet.venue.journal import Journal
from fleet.venue.state import StateError
from fleet.venue.subscriptions import Json

NO_MARKETS: Json = {"tallies": {}, "nonces": {}}


def rows(**lists: list[object]) -> Json:
    return {**{name: [] for name in LISTS}, **lists}


def exchange(**accounts: Json) -> Json:
    return {"last_oid": len(accounts), "accounts": accounts}


@contextmanager
def started(folder: Path) -> Iterator[Journal]:
    with closing(Journal(folder)) as journal:
        assert journal.read() is None
        journal.settle(journal.mark(exchange(a={"usd": 1, "fills": [1]}, b={"usd": 1}), {"px": 1}))
        yield journal


def test_lines_replace_what_they_name_and_add_fills(tmp_path: Path) -> None:
    with started(tmp_path) as journal:
        journal.write(
            exchange(a={"usd": 2, "fills": []}),
            {"px": 2},
            {"fills": {"a": [2, 3]}, "history": {"a": ["x"]}},
        )
        journal.write(exchange(c={"usd": 5}), {"px": 3}, {})
    state = Journal(tmp_path).read()
    assert state is not None
    assert state["world"] == {"px": 3}
    assert state["exchange"] == {
        "last_oid": 1,
        "accounts": {
            "a": {"usd": 2, **rows(fills=[1, 2, 3], history=["x"])},
            "b": {"usd": 1},
            "c": {"usd": 5, **rows()},
        },
        **NO_MARKETS,
    }


def test_tallies_and_nonces_are_laid_over_those_of_before(tmp_path: Path) -> None:
    hours = [{"time": 1}, {"time": 2}]
    with closing(Journal(tmp_path)) as journal:
        assert journal.read() is None
        tallies = {"BTC": {"long": "1", "funding": hours[:1]}, "ETH": {"long": "0", "funding": []}}
        state = {"accounts": {}, "tallies": tallies, "nonces": {"a": [1], "b": [2]}}
        journal.settle(journal.mark(state, {}))
        for hour in (hours[0], hours[1], hours[1]):
            tally = {"BTC": {"long": "3", "funding": [hour]}}
            journal.write({"accounts": {}, "tallies": tally, "nonces": {"a": [1, 5]}}, {}, {})
    found = Journal(tmp_path).read()
    assert found is not None
    assert found["exchange"] == {
        "accounts": {},
        "tallies": {
            "BTC": {"long": "3", "funding": hours},
            "ETH": {"long": "0", "funding": []},
        },
        "nonces": {"a": [1, 5], "b": [2]},
    }


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    with started(tmp_path) as journal:
        journal.write(exchange(a={"usd": 2}), {}, {})
    (path,) = tmp_path.glob("journal-*")
    with path.open("ab") as file:
        file.write(b'{"number":1,"exch')
    state = Journal(tmp_path).read()
    assert state is not None
    assert state["exchange"] == {
        "last_oid": 1,
        "accounts": {"a": {"usd": 2, **rows(fills=[1])}, "b": {"usd": 1}},
        **NO_MARKETS,
    }


def test_fills_are_not_added_twice_where_a_kill_left_lines_that_the_state_holds(
    tmp_path: Path,
) -> None:
    with started(tmp_path) as journal:
        journal.write(exchange(a={"usd": 2}), {}, {"fills": {"a": [2]}})
        state = journal.mark(exchange(a={"usd": 2, "fills": [1, 2]}), {})
        journal.write(exchange(a={"usd": 3}), {}, {"fills": {"a": [3]}})
        (tmp_path / "old").write_bytes((tmp_path / "journal-000000000000.jsonl").read_bytes())
        journal.settle(state)
        (tmp_path / "old").rename(tmp_path / "journal-000000000000.jsonl")
    found = Journal(tmp_path).read()
    assert found is not None
    assert found["exchange"] == {
        "last_oid": 1,
        "accounts": {"a": {"usd": 3, **rows(fills=[1, 2, 3])}},
        **NO_MARKETS,
    }


def test_a_settled_state_drops_its_lines_and_numbers_go_on(tmp_path: Path) -> None:
    with started(tmp_path) as journal:
        for usd in (2, 3):
            journal.write(exchange(a={"usd": usd}), {}, {})
        journal.settle(journal.mark(exchange(a={"usd": 3, "fills": []}), {}))
    assert not list(tmp_path.glob("journal-*"))
    with closing(Journal(tmp_path)) as again:
        again.read()
        again.write(exchange(a={"usd": 4}), {}, {})
    state = Journal(tmp_path).read()
    assert state is not None
    assert state["exchange"] == {
        "last_oid": 1,
        "accounts": {"a": {"usd": 4, **rows()}},
        **NO_MARKETS,
    }


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with started(tmp_path):
        pass
    (tmp_path / "journal-000000000000.jsonl").write_text(
        '{"number":0,"exchange":{},"world":{},"added":{}}\n'
    )
    with pytest.raises(StateError, match="move it away"):
        Journal(tmp_path).read()
