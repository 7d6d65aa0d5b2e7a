"""The manifest's JSON Schema, for editors: every leaf with its words, range, unit and class.

x-applies   how a change of the leaf reaches what runs (``fleet.manifests.applies``)
x-unit      the unit that the leaf's name ends with
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import yaml

from fleet.manifests.applies import of_fleet, of_market
from fleet.manifests.schema import Manifest

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_UNITS: Final = (
    ("_per_bps", "1/bps"),
    ("_per_s_prior", "1/s"),
    ("_per_bps_prior", "1/bps"),
    ("_usd_per_day", "USD a day"),
    ("_usd", "USD"),
    ("_bps", "bps"),
    ("_ms", "ms"),
    ("_s", "s"),
    ("_share", "share, 0 to 1"),
    ("_ratio", "ratio"),
    ("_sigmas", "hourly sigmas"),
    ("_per_min", "1/min"),
    ("_per_day", "1/day"),
)
_MARKET_PARTS: Final = {
    "Market": "",
    "Defaults": "",
    "MarketRisk": "risk",
    "RiskAdvanced": "risk.advanced",
    "Strategy": "strategy",
    "Advanced": "strategy.advanced",
    "Drain": "drain",
    "OnOrphan": "on_orphan",
    "Protect": "protect",
    "Schedule": "schedule",
}
_FLEET_PARTS: Final = {
    "AccountSection": "account",
    "ApiWallet": "account.api_wallet",
    "HaltWallet": "account.halt_wallet",
    "Risk": "risk",
    "Requests": "requests",
    "Dex": "dexes",
    "Rollout": "rollout",
    "Gates": "rollout.gates",
    "Alerts": "alerts",
    "Url": "alerts.webhook",
    "Metrics": "metrics",
    "Paper": "paper",
    "Latency": "paper.latency_ms",
}
_FROM_ENVIRONMENT: Final = {
    "type": "object",
    "description": "taken from the environment when the manifest is read",
    "properties": {"env": {"type": "string", "description": "the variable's name"}},
    "required": ["env"],
    "additionalProperties": False,
}


def json_schema() -> dict[str, Any]:
    """The schema of a whole manifest; defaults are those of an omitted leaf."""
    schema: dict[str, Any] = {"$schema": DIALECT, **Manifest.model_json_schema()}
    parts: dict[str, Any] = schema["$defs"]
    _annotate(schema, "", of_fleet)
    for name, path in _FLEET_PARTS.items():
        _annotate(parts[name], path, of_fleet)
    for name, path in _MARKET_PARTS.items():
        _annotate(parts[name], path, of_market)
    for name in ("Paper", "Latency"):
        parts[name]["properties"] = {
            leaf: _or_environment(value) for leaf, value in parts[name]["properties"].items()
        }
    parts["FromEnvironment"] = _FROM_ENVIRONMENT
    return schema


def _annotate(part: dict[str, Any], path: str, applies: Callable[[str], str]) -> None:
    for leaf, value in part["properties"].items():
        value.pop("title", None)
        if "examples" in value:
            value["examples"] = [_example(each) for each in value["examples"]]
        if isinstance(value.get("default"), dict):
            del value["default"]  # a section's defaults stand with its own leaves
        if _is_section(value):
            continue
        value["x-applies"] = applies(f"{path}.{leaf}" if path else leaf)
        unit = next((unit for suffix, unit in _UNITS if leaf.endswith(suffix)), None)
        if unit is None and path == "paper.latency_ms" and leaf != "jitter":
            unit = "ms"
        if unit is not None:
            value["x-unit"] = unit


def _example(example: Any) -> Any:  # noqa: ANN401  # any YAML value
    """An example as a value: the manifest's own are written as YAML."""
    value = yaml.safe_load(example) if isinstance(example, str) else example
    return (
        [str(each) for each in value]
        if isinstance(value, list) and value and isinstance(value[0], date)
        else value
    )


def _is_section(value: dict[str, Any]) -> bool:
    """Whether it only holds leaves of its own, which say everything."""
    referred = [value, *value.get("anyOf", ()), value.get("items", {})]
    return any("$ref" in each for each in referred) or isinstance(
        value.get("additionalProperties"), dict
    )


def _or_environment(value: dict[str, Any]) -> dict[str, Any]:
    if _is_section(value):
        return value
    told = {key: value[key] for key in value if key in {"description", "default", "x-applies"}}
    told |= {key: value[key] for key in value if key in {"x-unit", "examples"}}
    rest = {key: each for key, each in value.items() if key not in told}
    return {**told, "anyOf": [*rest.get("anyOf", [rest]), {"$ref": "#/$defs/FromEnvironment"}]}
