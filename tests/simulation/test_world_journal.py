"""A journal written in the world, run once more: byte for byte the same commands, or where not."""

import random
from pathlib import Path

import msgspec
import pytest

from agents.commands import Command
from agents.engine import Engine
from agents.events import Event
from agents.exchange.downstream import LeaseFrame
from agents.runtime.journal import Journal
from agents.runtime.journal_replay import JournalError, rerun
from fleet.world.faults import Level
from fleet.world.simulate import build


def _journalled(folder: Path, seconds: float) -> None:
    """One market in a bad world, its first agent's journal written to ``folder``."""
    world, _ = build(11, 1, Level.NONE, lambda purpose: random.Random(f"11 {purpose}"))
    agent = world.agents["BTC"]
    journal = Journal(folder, "test")
    world.end_agent(agent, 0.0)
    begun = False

    def observe(event: Event, now_ns: int, commands: list[Command]) -> None:
        nonlocal begun
        assert agent.conversation is not None
        if not begun:
            begun = True
            assert agent.conversation.lease is not None
            journal.begin(agent.conversation.lease, now_ns)
        journal.note(event, now_ns, commands)

    agent.observe = observe
    world.run(seconds)
    journal.close()
    assert journal.trouble is None


def test_a_journal_reproduces_its_commands_byte_for_byte(tmp_path: Path) -> None:
    folder = tmp_path / "agents" / "BTC" / "journal"
    _journalled(folder, 30.0)
    first, second = rerun(folder), rerun(folder)
    assert first.divergence is None
    assert first.events > 500
    assert first.commands > 20
    assert first == second


def test_a_change_of_the_engine_is_found_where_it_first_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "agents" / "BTC" / "journal"
    _journalled(folder, 15.0)
    made = Engine.__init__

    def braver(self: Engine, lease: LeaseFrame, now_ns: int) -> None:
        strategy = msgspec.structs.replace(lease.settings.strategy, clip_usd=100.0)
        settings = msgspec.structs.replace(lease.settings, strategy=strategy)
        made(self, msgspec.structs.replace(lease, settings=settings), now_ns)

    monkeypatch.setattr(Engine, "__init__", braver)
    found = rerun(folder).divergence
    assert found is not None
    assert any("Place" in text for text in found.commands)


def test_a_torn_tail_ends_the_journal_and_a_lost_head_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "agents" / "BTC" / "journal"
    _journalled(folder, 12.0)
    whole = rerun(folder).events
    path = next(folder.glob("*.zst"))
    path.write_bytes(path.read_bytes()[:-2_000])
    torn = rerun(path)
    assert torn.divergence is None
    assert 0 < torn.events < whole
    path.rename(path.with_name("00000002-0001.zst"))
    with pytest.raises(JournalError, match="first part"):
        rerun(folder)


def test_a_full_disk_stops_the_journal_and_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    journal = Journal(blocked / "journal", "test")
    world, _ = build(3, 1, Level.NONE, lambda purpose: random.Random(f"3 {purpose}"))
    conversation = world.agents["BTC"].conversation
    assert conversation is not None
    assert conversation.lease is not None
    journal.begin(conversation.lease, world.heap.now_ns)
    assert journal.trouble is not None
    journal.close()
