"""A journal written in the world, run once more: byte for byte the same commands, or where not."""

import random
import resource
from pathlib import Path

import msgspec
import pytest
import zstandard

from agents.engine import Engine
from agents.estimators.checkpoint import Checkpoint, encode
from agents.estimators.panel import Panel
from agents.exchange.downstream import Acquire, LeaseFrame
from agents.market.types import Coin
from agents.market.units import NS_PER_MS
from agents.runtime.conversation import Conversation, Observer, Say
from agents.runtime.journal import KEEP_BYTES, PART_BYTES_MAX, Entry, Journal, Kind
from agents.runtime.journal_replay import JournalError, entries, parts, rerun, values
from agents.runtime.journalled import Journalled
from fleet.world.crew import TOKEN
from fleet.world.faults import Level
from fleet.world.simulate import build
from fleet.world.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "agents" / "BTC" / "journal"


def _journalled(
    folder: Path,
    seconds: float,
    level: Level = Level.NONE,
    *,
    part_bytes: int = PART_BYTES_MAX,
    keep_bytes: int = KEEP_BYTES,
    kind: type[Journalled] = Journalled,
) -> World:
    """One market in a world; its first agent's journal, and those after it, are in ``folder``."""
    world, _ = build(11, 1, level, lambda purpose: random.Random(f"11 {purpose}"))
    agent = world.agents["BTC"]
    journals: list[Journal] = []

    def conversing(acquired: Acquire, observer: Observer) -> Conversation:
        journals.append(Journal(folder, "test", part_bytes=part_bytes, keep_bytes=keep_bytes))
        return kind(acquired, observer, journals[-1])

    agent.conversing = conversing
    world.end_agent(agent, 0.0)
    world.run(seconds)
    for journal in journals:
        journal.close()
        assert journal.trouble is None
    return world


def test_a_journal_reproduces_its_commands_byte_for_byte(folder: Path) -> None:
    _journalled(folder, 30.0)
    first, second = rerun(folder), rerun(folder)
    assert first.divergence is None
    assert first.events > 500
    assert first.commands > 20
    assert first == second


class _Remembering(Journalled):
    """Finds beliefs behind its lease, as an agent's shell does; they are a minute old."""

    held: Checkpoint | None = None

    def take(self, raw: bytes, now_ns: int) -> list[Say]:
        begun = self.lease is not None
        says = super().take(raw, now_ns)
        if self.held is None or begun or self.lease is None:
            return says
        saved_ms = now_ns // NS_PER_MS - 60_000
        found = encode(msgspec.structs.replace(self.held, saved_ms=saved_ms))
        return says + self.remember(found, now_ns)


def test_beliefs_of_an_agent_before_are_part_of_the_journal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _journalled(folder.parent / "first", 30.0)
    engine = first.crew.engine("BTC")
    assert engine is not None
    monkeypatch.setattr(_Remembering, "held", engine.state.panel.checkpoint(Coin("BTC")))
    _journalled(folder, 30.0, kind=_Remembering)
    assert Kind.BELIEFS in {entry.kind for part in parts(folder) for entry in entries(part)}
    again = rerun(folder)
    assert again.divergence is None
    assert again.commands > 20
    assert again.digest != rerun(folder.parent / "first").digest
    monkeypatch.setattr(Panel, "restore", lambda *_, **__: None)
    assert rerun(folder).divergence is not None, "what was carried shows in what is said"


def test_each_agent_of_a_stormy_world_says_the_same_again(folder: Path) -> None:
    """Crashes, cuts, a gateway's restart: each generation's journal, whatever ended it."""
    world = _journalled(folder, 60.0, Level.HEAVY)
    assert not world.checks.violations
    runs = [rerun(path) for path in sorted(folder.glob("*-0000.zst"))]
    assert len(runs) > 1
    assert [run.divergence for run in runs] == [None] * len(runs)
    assert sum(run.commands for run in runs) > 100


def test_frames_stand_in_it_as_they_came_and_no_token_does(folder: Path) -> None:
    _journalled(folder, 5.0)
    frames = [msgspec.msgpack.decode(e.payload, type=bytes)
              for part in parts(folder) for e in entries(part) if e.kind == Kind.FRAME]  # fmt: skip
    assert any(raw.startswith(b'{"channel":"bbo"') for raw in frames)
    assert b'"type":"lease"' in frames[0]
    assert not any(TOKEN.encode() in value for part in parts(folder) for value in values(part))


@pytest.mark.parametrize(
    ("clip_usd", "first"),
    [
        (200.0, "Place("),  # as it was: only its orders are numbered otherwise
        (100.0, "Renew("),  # and while it warms up it reports what it would quote
    ],
)
def test_a_change_of_the_engine_is_found_where_it_first_shows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, clip_usd: float, first: str
) -> None:
    _journalled(folder, 15.0)
    made = Engine.__init__

    def other(self: Engine, lease: LeaseFrame, now_ns: int) -> None:
        strategy = msgspec.structs.replace(lease.settings.strategy, clip_usd=clip_usd)
        settings = msgspec.structs.replace(lease.settings, strategy=strategy)
        made(self, msgspec.structs.replace(lease, settings=settings), now_ns)
        self.state.cloids.next()

    monkeypatch.setattr(Engine, "__init__", other)
    found = rerun(folder).divergence
    assert found is not None
    assert [text[: len(first)] for text in found.commands] == [first]


def test_a_frame_that_was_changed_is_found(folder: Path) -> None:
    """All asks of one book sink below its bids: from there on the agent would have said other."""
    _journalled(folder, 15.0)
    (part,) = parts(folder)
    header, *rest = values(part)
    changed = [header]
    at = 0
    for raw in rest:
        entry = msgspec.msgpack.decode(raw, type=Entry)
        if entry.seq > 200 and not at and entry.kind == Kind.FRAME:
            frame = msgspec.msgpack.decode(entry.payload, type=bytes)
            if frame.startswith(b'{"channel":"bbo"'):
                told = msgspec.json.decode(frame)
                told["data"]["bbo"].reverse()
                payload = msgspec.Raw(msgspec.msgpack.encode(msgspec.json.encode(told)))
                entry, at = msgspec.structs.replace(entry, payload=payload), entry.seq
        changed.append(msgspec.msgpack.encode(entry))
    assert at
    packed = b"".join(len(value).to_bytes(4, "little") + value for value in changed)
    part.write_bytes(zstandard.compress(packed))
    found = rerun(folder).divergence
    assert found is not None
    assert found.seq >= at


def test_a_torn_tail_ends_the_journal_and_a_lost_head_is_said(folder: Path) -> None:
    _journalled(folder, 12.0)
    whole = rerun(folder).entries
    path = next(folder.glob("*.zst"))
    path.write_bytes(path.read_bytes()[:-2_000])
    torn = rerun(path)
    assert torn.divergence is None
    assert 0 < torn.entries < whole
    path.rename(path.with_name(path.name.replace("-0000", "-0001")))
    with pytest.raises(JournalError, match="first part"):
        rerun(folder)


def test_parts_belong_together_and_the_oldest_go_first(folder: Path) -> None:
    _journalled(folder, 20.0, part_bytes=4_000)
    assert len(parts(folder)) > 3
    assert rerun(folder).divergence is None
    small = folder.parent.parent / "ETH" / "journal"
    _journalled(small, 20.0, part_bytes=4_000, keep_bytes=40_000)
    kept = sum(path.stat().st_size for path in small.glob("*.zst"))
    assert kept < sum(path.stat().st_size for path in folder.glob("*.zst"))
    with pytest.raises(JournalError, match="first part"):
        rerun(small)


def test_a_full_disk_stops_the_journal_and_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    told: list[str] = []
    journal = Journal(blocked / "journal", "test", told.append)
    world = _journalled(tmp_path / "agents" / "BTC" / "journal", 8.0)
    conversation = world.agents["BTC"].conversation
    assert conversation is not None
    assert conversation.lease is not None
    journal.begin(conversation.lease, world.heap.now_ns)
    journal.ticked(world.heap.now_ns, [])
    journal.close()
    assert told == [journal.trouble]


def test_what_a_full_disk_took_can_be_run_again(folder: Path) -> None:
    """The last block takes a part of what is written: the journal ends there, torn, and says so."""
    whole = _journalled(folder, 10.0)
    (part,) = parts(folder)
    told: list[str] = []
    small = folder.parent.parent / "ETH" / "journal"
    journal = Journal(small, "test", told.append)
    assert whole.agents["BTC"].conversation is not None
    lease = whole.agents["BTC"].conversation.lease
    assert lease is not None
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, limits[1]))
    try:
        journal.begin(lease, 0)
        for entry in entries(part):
            raw = msgspec.msgpack.decode(entry.payload)
            if entry.kind == Kind.FRAME:
                journal.took(raw, entry.now_ns, [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    journal.close()
    assert told == [journal.trouble]
    (torn,) = small.glob("*.zst")
    assert torn.stat().st_size == 6_000
    assert 0 < len(list(entries(torn))) < len(list(entries(part)))
