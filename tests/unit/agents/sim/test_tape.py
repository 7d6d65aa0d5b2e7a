"""Reading and pacing recordings: times are moved, silences told, torn files end where they tear."""

import json
from pathlib import Path

import pytest
import zstandard

from agents.sim.tape import BboRow, BookRow, Outage, Tape, TapeError, TapeFrame

S = 1_000_000_000
START_NS = 1_700_000_000 * S
NOW_NS = 1_800_000_000 * S
HEADER = {"schema": "hlrec/1", "coins": ["ETH"]}


def bbo(at_s: float, bid: str = "99.0", ask: str = "101.0") -> dict[str, object]:
    touch = [{"px": bid, "sz": "5"}, {"px": ask, "sz": "5"}]
    time = (START_NS + round(at_s * S)) // 1_000_000 - 300
    data = {"coin": "ETH", "time": time, "bbo": touch}
    return {"t": START_NS + round(at_s * S), "m": {"channel": "bbo", "data": data}}


def write(path: Path, *lines: object, header: object = None) -> Path:
    text = "".join(json.dumps(line) + "\n" for line in (header or HEADER, *lines))
    path.write_bytes(zstandard.compress(text.encode()))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tape.jsonl.zst"


def test_the_first_frame_is_now_and_the_others_keep_their_distance(file: Path) -> None:
    tape = Tape(write(file, bbo(0), bbo(0.5), bbo(2)))
    assert [f.t_ns - NOW_NS for f in tape.due(NOW_NS)] == [0]
    assert list(tape.due(NOW_NS + S // 4)) == []
    assert [f.t_ns - NOW_NS for f in tape.due(NOW_NS + S)] == [S // 2]
    assert not tape.over
    assert [type(f) for f in tape.due(NOW_NS + 2 * S)] == [TapeFrame, Outage]
    assert tape.over


def test_times_move_and_nothing_else_does(file: Path) -> None:
    line = bbo(0)
    (frame, *_) = Tape(write(file, line)).due(NOW_NS)
    assert isinstance(frame, TapeFrame)
    assert isinstance(frame.data, BboRow)
    assert frame.data.time == NOW_NS // 1_000_000 - 300
    old, new = str(START_NS // 1_000_000 - 300), str(NOW_NS // 1_000_000 - 300)
    assert frame.raw.decode() == json.dumps(line["m"]).replace(old, new)


def test_silence_over_five_seconds_and_disconnects_are_outages(file: Path) -> None:
    gone = {"t": START_NS + 12 * S, "c": "disconnect"}
    tape = Tape(write(file, bbo(0), bbo(4.9), bbo(10.5), gone, bbo(13)))
    kinds = [(type(f), (f.t_ns - NOW_NS) / S) for f in tape.due(NOW_NS)]
    kinds += [(type(f), (f.t_ns - NOW_NS) / S) for f in tape.due(NOW_NS + 20 * S)]
    assert kinds == [
        (TapeFrame, 0.0),
        (TapeFrame, 4.9),
        (Outage, 4.9),
        (TapeFrame, 10.5),
        (Outage, 12.0),
        (TapeFrame, 13.0),
        (Outage, 13.0),
    ]


def test_a_loop_starts_again_after_an_outage_with_times_moved_once_more(file: Path) -> None:
    tape = Tape(write(file, bbo(0), bbo(1)), end="loop")
    list(tape.due(NOW_NS))
    found = [f for f in tape.due(NOW_NS + 9 * S) if isinstance(f, TapeFrame)]
    assert [(f.t_ns - NOW_NS) / S for f in found] == [1.0, 7.0, 8.0]
    times = [f.data.time for f in found if isinstance(f.data, BboRow)]
    assert [time - times[0] for time in times] == [0, 6_000, 7_000]


def test_other_channels_and_empty_trades_make_no_frames(file: Path) -> None:
    lines = [
        {"t": START_NS, "m": {"channel": "pong"}},
        {"t": START_NS, "m": {"channel": "trades", "data": []}},
        {
            "t": START_NS,
            "m": {"channel": "l2Book", "data": {"coin": "ETH", "time": 1, "levels": [[], []]}},
        },
    ]
    found = [f for f in Tape(write(file, *lines)).due(NOW_NS) if isinstance(f, TapeFrame)]
    assert [type(f.data) for f in found] == [BookRow]


def test_a_torn_tail_ends_the_recording(file: Path) -> None:
    write(file, *(bbo(i / 10, bid=str(90 + i % 7)) for i in range(2_000)))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    tape = Tape(file)
    list(tape.due(NOW_NS))
    list(tape.due(NOW_NS + 1_000 * S))
    assert tape.over


def test_what_is_no_recording_is_refused_with_its_name(file: Path, tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="nowhere"):
        Tape(tmp_path / "nowhere")
    file.write_bytes(b"not zstd at all")
    with pytest.raises(TapeError, match=r"tape\.jsonl\.zst"):
        Tape(file)
    with pytest.raises(TapeError, match="hlrec/1"):
        Tape(write(file, header={"schema": "other/9", "coins": []}))


def test_a_broken_line_is_named_by_its_number(file: Path) -> None:
    tape = Tape(write(file, bbo(0), bbo(1), "no line"))
    with pytest.raises(TapeError, match="line 4"):
        list(tape.due(NOW_NS)) and list(tape.due(NOW_NS + 5 * S))
