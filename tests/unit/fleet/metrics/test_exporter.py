"""The endpoint: where the settings say, from now on elsewhere, and nowhere when they say so."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.folder import Folder
from fleet.metrics.exporter import Exporter
from fleet.metrics.settings import MetricsSettings, keep, read_settings, settings_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scraped(port: int, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return str(answer.read().decode())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def told() -> list[tuple[str, dict[str, object]]]:
    return []


@pytest.fixture
def exporter(folder: Folder, told: list[tuple[str, dict[str, object]]]) -> Iterator[Exporter]:
    served = Exporter(folder, lambda event, **facts: told.append((event, facts)))
    yield served
    keep(folder, MetricsSettings(port=0))
    served.follow()


def test_it_serves_where_it_is_told_and_moves(folder: Folder, exporter: Exporter) -> None:
    first, second = free_port(), free_port()
    keep(folder, MetricsSettings(port=first))
    exporter.follow()
    assert "mm_gateway_up 0.0" in scraped(first)
    with pytest.raises(urllib.error.HTTPError) as refused:
        scraped(first, "/")
    assert refused.value.code == 404
    refused.value.close()
    keep(folder, MetricsSettings(port=second))
    exporter.follow()
    assert "mm_gateway_up 0.0" in scraped(second)
    with pytest.raises(OSError, match="refused"):
        scraped(first)


def test_a_port_that_is_taken_is_told_once_and_taken_when_it_is_free(
    folder: Folder, exporter: Exporter, told: list[tuple[str, dict[str, object]]]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        keep(folder, MetricsSettings(port=port))
        exporter.follow()
        exporter.follow()
        assert [event for event, _ in told] == ["metrics.not_served"]
        assert str(told[0][1]["why"]).startswith(f"127.0.0.1:{port}: ")
    exporter.follow()
    assert [event for event, _ in told] == ["metrics.not_served", "metrics.served"]
    assert "mm_gateway_up" in scraped(port)


def test_port_0_serves_nothing(folder: Folder, exporter: Exporter, told: list[object]) -> None:
    keep(folder, MetricsSettings(port=0))
    exporter.follow()
    assert told == []


def test_settings_are_written_once_and_read_back(folder: Folder) -> None:
    assert read_settings(folder) is None
    assert keep(folder, MetricsSettings(port=1234))
    assert not keep(folder, MetricsSettings(port=1234))
    assert read_settings(folder) == MetricsSettings("127.0.0.1", 1234)
    settings_path(folder).write_text("{")
    assert read_settings(folder) is None
