"""The action log: whole after a crash, rotated, and honest about a full disk."""

import os
from pathlib import Path

import pytest

from fleet.gateway import log as log_module
from fleet.gateway.framing import read_records
from fleet.gateway.log import ActionLog, sync
from fleet.gateway.records import Answered, LinkSeen


def opened(folder: Path) -> ActionLog:
    log = ActionLog(folder)
    log.open()
    return log


def sequences(folder: Path) -> list[int]:
    return [record.seq for path in ActionLog(folder).segments() for _, record in read_records(path)]


def test_sequences_rise_by_one_over_restarts(tmp_path: Path) -> None:
    for _ in range(3):
        log = opened(tmp_path)
        for _ in range(4):
            log.append(LinkSeen(state="up"), 1)
        log.close()
    assert sequences(tmp_path) == list(range(1, 13))


@pytest.mark.parametrize("torn", [1, 4, 7, 8, 9, 15])
def test_a_torn_tail_is_cut_and_written_over(tmp_path: Path, torn: int) -> None:
    log = opened(tmp_path)
    log.append(LinkSeen(state="up"), 1)
    whole = log.segments()[0].stat().st_size
    log.append(LinkSeen(state="gap"), 2)
    log.close()
    os.truncate(log.segments()[0], whole + torn)
    again = opened(tmp_path)
    assert again.seq == 1
    again.append(Answered(nonce=5, answer="{}"), 3)
    again.close()
    assert [r.body for r in again.tail()] == [LinkSeen(state="up"), Answered(5, "{}")]


def test_segments_are_named_by_their_first_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "SEGMENT_BYTES_MAX", 200)
    log = opened(tmp_path)
    for at in range(20):
        log.append(LinkSeen(state="up"), at)
    log.close()
    segments = log.segments()
    assert len(segments) > 2
    for path in segments:
        assert path.stat().st_size <= 200
        assert int(path.stem) == next(read_records(path))[1].seq
    assert sequences(tmp_path) == list(range(1, 21))
    assert opened(tmp_path).seq == 20


def test_a_segment_begun_and_never_written_is_taken_up(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append(LinkSeen(state="up"), 1)
    log.close()
    (tmp_path / "000000000002.log").touch()
    again = opened(tmp_path)
    assert again.append(LinkSeen(state="up"), 2) == 2


def test_a_full_disk_raises_and_leaves_the_log_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(tmp_path)
    log.append(LinkSeen(state="up"), 1)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:5]))
    with pytest.raises(OSError, match="full"):
        log.append(LinkSeen(state="gap"), 2)
    monkeypatch.undo()
    assert log.append(LinkSeen(state="up"), 3) == 2
    log.close()
    assert sequences(tmp_path) == [1, 2]


def test_only_what_was_written_is_synced(tmp_path: Path) -> None:
    log = opened(tmp_path)
    assert log.take_dirty() is None
    log.append(LinkSeen(state="up"), 1)
    descriptor = log.take_dirty()
    assert descriptor is not None
    sync(descriptor)
    assert log.take_dirty() is None
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)


def test_segments_go_when_they_are_old_and_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "SEGMENT_BYTES_MAX", 200)
    booked: list[int | None] = [None]
    log = ActionLog(tmp_path, lambda: booked[0])
    log.open()
    old_ns = log_module.KEPT_NS + (1 << 62)

    def fill(count: int, wall_ns: int) -> None:
        for _ in range(count):
            log.append(LinkSeen(state="up"), wall_ns)

    fill(30, old_ns)
    assert sequences(tmp_path)[0] == 1, "no ledger has seen them"
    booked[0] = 3
    fill(20, old_ns)
    assert sequences(tmp_path)[0] == 1, "the first segment goes on beyond what was booked"
    booked[0] = 20
    fill(20, 1)
    assert sequences(tmp_path)[0] == 1, "they are young"
    fill(20, old_ns)
    first = sequences(tmp_path)[0]
    assert 1 < first <= 21
    log.close()
