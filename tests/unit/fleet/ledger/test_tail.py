"""Following the action log over segments, restarts, torn tails and power losses."""

from pathlib import Path

from fleet.gateway.framing import Record, frame
from fleet.gateway.records import LinkSeen
from fleet.ledger.tail import Place, Tail


def record(seq: int, wall_ns: int | None = None) -> Record:
    return Record.of(seq, seq * 10 if wall_ns is None else wall_ns, LinkSeen(state=f"s{seq}"))


def write(actions: Path, first: int, *records: Record) -> Path:
    path = actions / f"{first}.log"
    with path.open("ab") as file:
        file.write(b"".join(frame(row) for row in records))
    return path


def seqs(tail: Tail, limit: int = 2_000) -> list[int]:
    return [row.seq for row in tail.read(limit)]


def test_it_reads_what_is_appended_and_waits_for_more(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    assert seqs(tail) == []
    write(tmp_path, 1, record(1), record(2))
    assert seqs(tail) == [1, 2]
    assert seqs(tail) == []
    write(tmp_path, 1, record(3))
    assert seqs(tail) == [3]
    assert tail.place == Place(3, 30)


def test_it_goes_on_in_the_next_segment_and_loses_none_between(tmp_path: Path) -> None:
    tail = Tail(tmp_path)
    write(tmp_path, 1, record(1), record(2))
    assert seqs(tail) == [1, 2]
    write(tmp_path, 1, record(3))
    write(tmp_path, 4, record(4))
    write(tmp_path, 10, record(10))
    assert seqs(tail) == [3, 4, 10]
    assert tail.notes == ["records 5 to 9 are missing"]


def test_segments_are_ordered_by_number_not_by_name(tmp_path: Path) -> None:
    write(tmp_path, 9, record(9))
    write(tmp_path, 10, record(10))
    (tmp_path / "notes.log").write_text("not a segment")
    assert seqs(Tail(tmp_path)) == [9, 10]


def test_a_limit_leaves_the_rest_for_the_next_read(tmp_path: Path) -> None:
    write(tmp_path, 1, *(record(n) for n in range(1, 6)))
    tail = Tail(tmp_path)
    assert seqs(tail, 2) == [1, 2]
    assert seqs(tail, 2) == [3, 4]
    assert seqs(tail, 2) == [5]


def test_a_restarted_reader_goes_on_behind_its_place(tmp_path: Path) -> None:
    write(tmp_path, 1, record(1), record(2))
    write(tmp_path, 3, record(3), record(4))
    assert seqs(Tail(tmp_path, Place(2, 20))) == [3, 4]
    assert seqs(Tail(tmp_path, Place(3, 30))) == [4]
    assert seqs(Tail(tmp_path, Place(4, 40))) == []


def test_a_half_written_record_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path, 1, record(1))
    whole = frame(record(2))
    with path.open("ab") as file:
        file.write(whole[:7])
    tail = Tail(tmp_path)
    assert seqs(tail) == [1]
    assert tail.unread_bytes() == 7
    with path.open("ab") as file:
        file.write(whole[7:])
    assert seqs(tail) == [2]
    assert tail.unread_bytes() == 0


def test_a_torn_end_of_a_finished_segment_is_passed_over_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, 1, record(1))
    with path.open("ab") as file:
        file.write(b"torn")
    write(tmp_path, 2, record(2))
    tail = Tail(tmp_path)
    assert seqs(tail) == [1, 2]
    assert tail.notes == ["1.log: the last 4 bytes are no record; passed over"]


def test_a_number_given_out_again_after_power_loss_is_read(tmp_path: Path) -> None:
    """The reader saw record 2, the disk never did; the writer wrote another record 2."""
    write(tmp_path, 1, record(1), record(2, wall_ns=999), record(3, wall_ns=1_000))
    tail = Tail(tmp_path, Place(2, 20))
    assert seqs(tail) == [1, 2, 3]
    assert "does not hold record 2 as read" in tail.notes[0]


def test_a_log_shorter_than_the_place_is_read_from_the_start(tmp_path: Path) -> None:
    write(tmp_path, 1, record(1))
    tail = Tail(tmp_path, Place(7, 70))
    assert seqs(tail) == [1]
    assert tail.notes


def test_a_file_cut_under_the_reader_is_found_again(tmp_path: Path) -> None:
    path = write(tmp_path, 1, record(1), record(2))
    tail = Tail(tmp_path)
    assert seqs(tail) == [1, 2]
    path.write_bytes(frame(record(1)))
    assert seqs(tail) == []
    write(tmp_path, 1, record(2, wall_ns=777))
    assert seqs(tail) == [1, 2]


def test_old_segments_that_were_removed_are_no_reason_to_stop(tmp_path: Path) -> None:
    write(tmp_path, 5, record(5), record(6))
    assert seqs(Tail(tmp_path, Place(4, 40))) == [5, 6]
    tail = Tail(tmp_path, Place(2, 20))
    assert seqs(tail) == [5, 6]
    assert tail.notes == ["records 3 to 4 are missing"]
