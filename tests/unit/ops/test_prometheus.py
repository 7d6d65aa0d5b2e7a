"""Dashboards and alert rules ask for metrics and labels that exist, and say what they mean."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fleet.metrics.table import rows
from tests.unit.ops.expressions import (
    DASHBOARDS,
    OF_PROMETHEUS,
    OPS,
    Asked,
    asked,
    grouped,
    read,
    selectors,
)

LABELS = {
    name + end: set(filter(None, labels.split(", ")))
    for name, kind, labels, _ in rows()
    for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
}


def test_there_is_a_dashboard_for_each_concern() -> None:
    assert [path.stem for path in DASHBOARDS] == ["fleet", "gateway", "market", "risk"]


@pytest.mark.parametrize("one", asked(), ids=lambda one: one.where)
def test_what_is_asked_for_exists_with_its_labels(one: Asked) -> None:
    named = selectors(one.expr)
    assert named or "up{" in one.expr
    for name, narrowed in named:
        assert name in LABELS
        assert narrowed <= LABELS[name] | OF_PROMETHEUS
    every = set().union(*(LABELS[name] for name, _ in named), OF_PROMETHEUS)
    assert grouped(one.expr) <= every
    kept = grouped(one.expr) if " by " in one.expr else every
    assert one.shown <= kept, "what it shows was summed away"


def test_an_expression_is_taken_apart() -> None:
    expr = 'sum by (le, process) (rate(mm_a_bucket{market=~"$market", side!="bid"}[5m])) / mm_b'
    assert selectors(expr) == [("mm_a_bucket", {"market", "side"}), ("mm_b", set())]
    assert grouped(expr) == {"le", "process"}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_uses_the_provisioned_source_and_no_panel_twice(path: Path) -> None:
    (source,) = read(OPS / "grafana/provisioning/datasources/fleet.yml")["datasources"]
    panels = json.loads(path.read_text())["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert [t["refId"] for t in panel["targets"]] == list("ABCDEFG"[: len(panel["targets"])])


def test_grafana_finds_its_source_and_its_dashboards_where_compose_mounts_them() -> None:
    provisioned = OPS / "grafana" / "provisioning"
    (source,) = read(provisioned / "datasources/fleet.yml")["datasources"]
    assert source["type"] == "prometheus"
    (provider,) = read(provisioned / "dashboards/fleet.yml")["providers"]
    services = read(OPS / "compose.yaml")["services"]
    mounts = {row.split(":")[1] for row in services["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounts
    (listens,) = [c for c in services["prometheus"]["command"] if "listen-address" in c]
    assert source["url"].rpartition(":")[2] == listens.rpartition(":")[2]


def test_each_rule_says_how_bad_it_is_and_what_it_means() -> None:
    for group in read(OPS / "prometheus" / "alerts.yml")["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"]["summary"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: Debian's prometheus")
def test_promtool_agrees() -> None:
    asked_of = ["promtool", "check", "config", str(OPS / "prometheus" / "prometheus.yml")]
    done = subprocess.run(asked_of, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
