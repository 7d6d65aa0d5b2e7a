"""docs/manifest.md is what the schema says, key for key."""

from pathlib import Path

from fleet.manifests.json_schema import json_schema
from fleet.manifests.reference import reference

PAGE = Path(__file__).parents[4] / "docs" / "manifest.md"


def test_the_page_is_the_schemas() -> None:
    told = "make it anew: .venv/bin/fleet schema --markdown > docs/manifest.md"
    assert PAGE.read_text(encoding="utf-8") == reference(json_schema()), told


def test_every_leaf_has_its_row() -> None:
    schema = json_schema()
    text = reference(schema)
    for name, part in schema["$defs"].items():
        if name in {"Defaults", "FromEnvironment"}:
            continue
        for leaf in part["properties"]:
            assert f"`{leaf}`" in text or f"{leaf}`" in text, f"{name}.{leaf}"
