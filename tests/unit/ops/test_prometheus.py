"""Dashboards and alert rules ask for metrics that exist, and say what they mean."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.metrics.table import rows

OPS = Path(__file__).parents[3] / "ops"
DASHBOARDS = sorted((OPS / "grafana" / "dashboards").glob("*.json"))
NAMES = {
    name + end
    for name, kind, *_ in rows()
    for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def asked(expr: str) -> set[str]:
    """The fleet's metrics that an expression names."""
    return set(re.findall(r"\bmm_[a-z_0-9]+", expr))


def expressions() -> list[tuple[str, str]]:
    panels = [
        (f"{path.stem}: {panel['title']}", target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]
    rules = [
        (f"alerts: {rule['alert']}", rule["expr"])
        for group in read(OPS / "prometheus" / "alerts.yml")["groups"]
        for rule in group["rules"]
    ]
    return panels + rules


def test_there_is_a_dashboard_for_each_concern() -> None:
    assert [path.stem for path in DASHBOARDS] == ["fleet", "gateway", "market", "risk"]


@pytest.mark.parametrize(("where", "expr"), expressions())
def test_what_is_asked_for_exists(where: str, expr: str) -> None:
    assert asked(expr) <= NAMES, where
    assert asked(expr) or "up{" in expr, where


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_uses_the_provisioned_source_and_no_panel_twice(path: Path) -> None:
    (source,) = read(OPS / "grafana/provisioning/datasources/fleet.yml")["datasources"]
    panels = json.loads(path.read_text())["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)


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
