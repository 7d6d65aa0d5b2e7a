"""``fleet logs``: no line is left out where a log is full and put aside, or where one is new."""

from pathlib import Path

from agents.telemetry.logs import open_log
from fleet.cli.logs import Trail, _tail


def numbers(rows: list[str]) -> list[int]:
    return [int(row.partition('"n": ')[2].partition(",")[0]) for row in rows]


def write(path: Path, first: int, last: int) -> None:
    log = open_log(path, bytes_max=1_000)
    for n in range(first, last):
        log.info("order.place", n=n)


def test_a_log_is_followed_over_the_moment_it_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "BTC.jsonl"
    write(path, 0, 5)
    trail = Trail([path])
    assert list(trail.news([path])) == []
    seen: list[int] = []
    for first in range(5, 60, 3):
        write(path, first, first + 3)
        seen += numbers([line for _, line in trail.news([path])])
    assert path.with_name("BTC.jsonl.1").exists()
    assert seen == list(range(5, 62))


def test_a_log_that_is_new_is_followed_from_its_first_line(tmp_path: Path) -> None:
    old, new = tmp_path / "BTC.jsonl", tmp_path / "ETH.jsonl"
    write(old, 0, 3)
    trail = Trail([old])
    write(new, 7, 9)
    assert [(path, *numbers([line])) for path, line in trail.news([old, new])] == [
        (new, 7), (new, 8)
    ]  # fmt: skip


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"n": 1}\n{"n"')
    trail = Trail([])
    assert [line for _, line in trail.news([path])] == ['{"n": 1}']
    with path.open("a") as file:
        file.write(": 2}\n")
    assert [line for _, line in trail.news([path])] == ['{"n": 2}']


def test_the_tail_goes_back_into_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "BTC.jsonl"
    write(path, 0, 12)
    assert len(path.read_text().splitlines()) < 8
    assert numbers(_tail(path, 8)) == list(range(4, 12))
    assert _tail(path, 0) == []
