"""What dashboards and alert rules ask of Prometheus: every expression, and what it names."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

OPS = Path(__file__).parents[3] / "ops"
DASHBOARDS = sorted((OPS / "grafana" / "dashboards").glob("*.json"))
FIXED = {"$market": ".*"}
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that the scrape itself gives, or a histogram."""


class Asked(NamedTuple):
    """``where`` it stands, and the labels that its legend or summary shows."""

    where: str
    expr: str
    shown: frozenset[str]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def asked() -> list[Asked]:
    """Of every panel and every rule."""
    found = []
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                shown = re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", ""))
                where = f"{path.stem}: {panel['title']}"
                found.append(Asked(where, target["expr"], frozenset(shown)))
    for group in read(OPS / "prometheus" / "alerts.yml")["groups"]:
        for rule in group["rules"]:
            shown = re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))
            found.append(Asked(f"alerts: {rule['alert']}", rule["expr"], frozenset(shown)))
    return found


def selectors(expr: str) -> list[tuple[str, set[str]]]:
    """The fleet's metrics that it names, each with the labels that it is narrowed by."""
    return [
        (name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", braces)))
        for name, braces in re.findall(r"\b(mm_\w+)(\{[^}]*\})?", expr)
    ]


def grouped(expr: str) -> set[str]:
    """The labels that it groups or joins by."""
    rows = re.findall(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)", expr)
    return {label.strip() for row in rows for label in row.split(",") if label.strip()}
