"""A scrape of the demo, as Prometheus makes it: what is documented is there, and what dashboards
and alert rules ask for is among it.
"""

import http.client
import shutil
import socket
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fleet.folder import Folder
from fleet.metrics.table import rows
from tests.e2e.under_test import Fleet, wait_for
from tests.unit.ops.expressions import asked, selectors

MARKETS = {"BTC", "ETH", "SOL", "hyna:BTC", "xyz:NVDA"}
SELDOM = {
    "mm_gate_reason", "mm_venue_strain", "mm_caution", "mm_quota_burn_per_h",
    "mm_quota_hours_to_empty", "mm_volatility_regime", "mm_cascade_severity",
    "mm_excitement_ratio",
}  # fmt: skip
"""Without a sample while nothing is wrong, or for the first minutes."""


def scraped(paper: Fleet) -> str:
    """``GET /metrics`` on the control socket: the port may be another fleet's."""
    folder = Folder(paper.folder)
    connection = http.client.HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(folder.control_sock))
    connection.request(
        "GET", "/metrics", headers={"Authorization": f"Bearer {folder.token.read_text().strip()}"}
    )
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert (answer.status, answer.headers["Content-Type"][:10]) == (200, "text/plain")
    return body


@pytest.fixture(scope="module")
def scrape(paper: Fleet) -> str:
    """The first that lacks nothing: a fill's worth is known a minute later, some beliefs too."""
    found = ""

    def whole() -> bool:
        nonlocal found
        found = scraped(paper)
        return missing(labels_of(found)) == []

    wait_for("every documented metric", whole, within_s=150, every_s=2)
    return found


def labels_of(scrape: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(scrape):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def missing(found: dict[str, list[dict[str, str]]]) -> list[str]:
    """What is documented and has no sample, though it should."""
    names = [f"{name}_bucket" if kind == "histogram" else name for name, kind, *_ in rows()]
    return [name for name in names if name not in SELDOM and not found.get(name)]


def test_every_documented_metric_is_there_with_its_labels(scrape: str) -> None:
    found = labels_of(scrape)
    assert missing(found) == []
    for name, kind, labels, _ in rows():
        wanted = set(filter(None, labels.split(", ")))
        for sample in found.get(f"{name}_bucket" if kind == "histogram" else name, []):
            assert wanted <= set(sample), name
    assert {labels["market"] for labels in found["mm_position"]} == MARKETS


def test_every_query_finds_its_metric_and_its_labels(scrape: str) -> None:
    found = labels_of(scrape)
    for one in asked():
        for name, narrowed in selectors(one.expr):
            samples = found.get(name, [])
            assert samples or name in SELDOM, f"{one.where}: {name}"
            assert all(narrowed <= set(labels) for labels in samples), f"{one.where}: {name}"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: Debian's prometheus")
def test_promtool_reads_it(scrape: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=scrape, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "error while linting" not in done.stderr, done.stderr
