"""The action log's framing: what is written is read, and nothing torn is believed."""

import struct
import tempfile
import zlib
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.gateway.framing import Record, frame, measure, read_records
from fleet.gateway.records import Filled, Funding, LinkSeen, MarketSeen

FILL = Fill(
    coin=Coin("hyna:BTC"), side=Side.ASK, px=Decimal("81327.7"), sz=Decimal("0.00120"),
    time_ms=1_790_000_000_000, tid=Tid(2**63 - 1), oid=Oid(7), cloid=None, fee=Decimal("-0.01"),
    fee_token="USDE", crossed=False, start_position_sz=Decimal(0), closed_pnl=Decimal("1.5"),
)  # fmt: skip
RECORDS = (
    Record.of(1, 11, LinkSeen(state="up")),
    Record.of(2, 12, Filled(fill=FILL, ours=True, mid_px=None)),
    Record.of(3, 13, Funding(market="BTC", time_ms=5, usdc=Decimal("-0.1"), szi=Decimal(2),
                             rate=Decimal("0.0000125"))),
    Record.of(4, 14, MarketSeen(market="BTC", venue_ms=9, bid_px=1.5, ask_px=None, mark_px=2.0)),
)  # fmt: skip
DATA = b"".join(frame(record) for record in RECORDS)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "1.log"
    path.write_bytes(DATA)
    assert tuple(record for _, record in read_records(path)) == RECORDS
    assert RECORDS[1].kind == "filled"
    assert measure(path) == (len(DATA), 4)


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "1.log"
    path.write_bytes(DATA)
    offsets = [offset for offset, _ in read_records(path)]
    assert [record.seq for _, record in read_records(path, offsets[1])] == [3, 4]
    assert [record.seq for _, record in read_records(path, after_seq=3)] == [4]


def _file(data: bytes) -> Path:
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(data)
    return Path(file.name)


@given(cut=st.integers(0, len(DATA)))
def test_a_torn_tail_ends_the_file_and_loses_nothing_before_it(cut: int) -> None:
    ends = [sum(len(frame(r)) for r in RECORDS[: n + 1]) for n in range(len(RECORDS))]
    path = _file(DATA[:cut])
    whole = [end for end in ends if end <= cut]
    assert [offset for offset, _ in read_records(path)] == whole
    assert measure(path)[0] == (whole[-1] if whole else 0)
    path.unlink()


@given(at=st.integers(0, len(DATA) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_is_never_believed(at: int, flip: int) -> None:
    path = _file(DATA[:at] + bytes([DATA[at] ^ flip]) + DATA[at + 1 :])
    read = tuple(record for _, record in read_records(path))
    path.unlink()
    assert read == RECORDS[: len(read)]
    assert len(read) < len(RECORDS)


def test_zeros_after_power_loss_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "1.log"
    path.write_bytes(DATA + bytes(4096))
    assert measure(path)[0] == len(DATA)


def test_an_unknown_kind_is_passed_over(tmp_path: Path) -> None:
    newer = msgspec.msgpack.encode([2, 12, "comet", {"kind": "comet", "tail": 1}])
    alien = struct.pack("<II", len(newer), zlib.crc32(newer)) + newer
    path = tmp_path / "1.log"
    path.write_bytes(frame(RECORDS[0]) + alien + frame(RECORDS[2]))
    assert [record.seq for _, record in read_records(path)] == [1, 3]


def test_an_intact_record_that_is_none_of_ours_is_said(tmp_path: Path) -> None:
    packed = msgspec.msgpack.encode({"not": "a record"})
    path = tmp_path / "1.log"
    path.write_bytes(struct.pack("<II", len(packed), zlib.crc32(packed)) + packed)
    with pytest.raises(msgspec.DecodeError):
        list(read_records(path))
