"""The JSON Schema that editors read agrees with what the loader accepts and refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships without types
import pytest
import yaml

from fleet.manifests.applies import CLASSES
from fleet.manifests.json_schema import DIALECT, json_schema
from fleet.supervisor.changes import Change

MANIFESTS = sorted((Path(__file__).parents[4] / "manifests").glob("*.yaml"))
SCHEMA = json_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_manifest_of_ours_is_valid(path: Path) -> None:
    CHECK.validate(yaml.safe_load(path.read_text()))


def test_it_is_a_schema() -> None:
    assert SCHEMA["$schema"] == DIALECT
    CHECK.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{fleet: T, network: paper, markets: [{asset: BTC}]}", "fleet"),
        ("{fleet: t, network: moon, markets: [{asset: BTC}]}", "network"),
        ("{fleet: t, network: paper, markets: []}", "markets"),
        ("{fleet: t, network: paper, markets: [{asset: BTC, margn_usd: 5}]}", "markets.0"),
        ("{fleet: t, network: paper, markets: [{asset: BTC, leverage: 51}]}", "markets.0.leverage"),
        ("{fleet: t, network: paper, defaults: {risk: {x: 1}}, markets: [{asset: BTC}]}",
         "defaults.risk"),
        ("{fleet: t, network: paper, paper: {seed: {file: x}}, markets: [{asset: BTC}]}",
         "paper"),
    ],
)  # fmt: skip
def test_what_the_loader_refuses_it_refuses_at_the_same_place(text: str, path: str) -> None:
    (error,) = CHECK.iter_errors(yaml.safe_load(text))
    assert ".".join(map(str, error.absolute_path)) == path


def test_what_is_taken_from_the_environment_is_allowed() -> None:
    CHECK.validate(
        yaml.safe_load(
            "{fleet: t, network: paper, markets: [{asset: BTC}],"
            " paper: {seed: {env: SEED}, recording: {env: FILE}, latency_ms: {ack: {env: A}}}}"
        )
    )


def leaves() -> Iterator[tuple[str, dict[str, Any]]]:
    parts = {"Manifest": SCHEMA, **SCHEMA["$defs"]}
    for name, part in parts.items():
        for leaf, value in part.get("properties", {}).items():
            if "x-applies" in value:
                yield f"{name}.{leaf}", value


def test_every_leaf_says_what_it_is_and_how_it_applies() -> None:
    found = dict(leaves())
    assert len(found) > 80
    silent = {leaf for leaf, value in found.items() if "description" not in value}
    sources = ("env", "file", "keystore", "passphrase_env")
    assert silent == {f"{wallet}.{n}" for wallet in ("ApiWallet", "HaltWallet") for n in sources}
    assert {value["x-applies"] for value in found.values()} == set(CLASSES)
    assert found["Dex.margin_max_usd"]["x-unit"] == "USD"
    assert found["Strategy.kappa_prior_per_bps"]["x-unit"] == "1/bps"
    assert found["Market.margin_usd"]["examples"] == [5000]


def test_the_plan_classes_a_change_as_the_schema_says() -> None:
    found = dict(leaves())
    for part, path in (("Strategy", "strategy."), ("MarketRisk", "risk."), ("Defaults", "")):
        for name, value in found.items():
            if name.startswith(f"{part}."):
                leaf = path + name.partition(".")[2]
                assert Change(leaf, 1, 2).kind == value["x-applies"], leaf
