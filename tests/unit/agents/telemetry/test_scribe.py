"""A slow disk holds nobody up, one that hangs fills no memory, and nothing is out of turn."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.telemetry.logs import open_log
from agents.telemetry.scribe import Scribe


class SlowDisk:
    """Every write waits until the disk is let go on."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.written: list[int] = []

    def write(self, n: int) -> None:
        assert self.goes_on.wait(10.0)
        self.written.append(n)


@pytest.fixture
def disk() -> Iterator[SlowDisk]:
    disk = SlowDisk()
    yield disk
    disk.goes_on.set()


def test_the_caller_goes_on_while_the_disk_hangs_and_all_is_written_in_order(
    disk: SlowDisk,
) -> None:
    scribe = Scribe()
    for n in range(100):
        assert scribe.give(lambda n=n: disk.write(n), 10)  # type: ignore[misc]
    assert disk.written == []
    disk.goes_on.set()
    assert scribe.finish(10.0)
    assert disk.written == list(range(100))


def test_more_than_may_wait_is_refused(disk: SlowDisk) -> None:
    scribe = Scribe(bytes_max=100)
    taken = [scribe.give(lambda: disk.write(0), 30) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    disk.goes_on.set()
    assert scribe.finish(10.0)
    assert len(disk.written) == 3


def test_a_disk_that_hangs_for_good_does_not_keep_the_process(disk: SlowDisk) -> None:
    scribe = Scribe()
    scribe.give(lambda: disk.write(0), 1)
    assert not scribe.finish(0.01)


def test_after_the_end_it_is_written_at_once(disk: SlowDisk) -> None:
    scribe = Scribe()
    disk.goes_on.set()
    assert scribe.finish(10.0)
    assert scribe.give(lambda: disk.write(1), 1)
    assert disk.written == [1]


def test_a_log_tells_how_many_lines_a_hanging_disk_cost(disk: SlowDisk, tmp_path: Path) -> None:
    scribe = Scribe(bytes_max=400)
    log = open_log(tmp_path / "x.jsonl", later=scribe.give)
    scribe.give(lambda: disk.write(0), 0)
    for n in range(50):
        log.info("order.place", n=n)
    disk.goes_on.set()
    assert scribe.finish(10.0)
    log.info("order.place", n=50)
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    written = [line["n"] for line in lines if line["event"] == "order.place"]
    lost = [line["lines"] for line in lines if line["event"] == "log.lost"]
    assert written == [*range(len(written) - 1), 50]
    assert sum(lost) == 51 - len(written)
