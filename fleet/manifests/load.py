"""From a file to a ``FleetSpec``: read, take from the environment, check, compile, check again."""

import os
from pathlib import Path as File
from typing import Any, Final

import yaml
from pydantic import ValidationError

from fleet.manifests import checks
from fleet.manifests.compile import compiled
from fleet.manifests.errors import ManifestError, Path, Problem
from fleet.manifests.explain import explain
from fleet.manifests.folder import read_path
from fleet.manifests.schema import Manifest
from fleet.manifests.source import Source
from fleet.manifests.spec import FleetSpec

_TEXTS: Final = frozenset({"flow", "recording"})


def load(path: File, listing: checks.Listing | None = None) -> FleetSpec:
    """The spec that the manifest in ``path`` (a file or a folder) describes; touches nothing.

    ``listing`` is what a live network offers, once it was asked; the embedded exchange's is known.
    Raises ``ManifestError`` with every problem of the first stage that finds any: text, schema,
    names, sense.
    """
    source = read_path(path)
    problems = _from_environment(source)
    if problems:
        raise ManifestError(problems)
    try:
        manifest = Manifest.model_validate(source.data)
    except ValidationError as error:
        raise ManifestError(explain(source, error)) from None
    draft = compiled(source, manifest)
    on_paper = draft.spec.network == "paper"
    problems = checks.problems(draft, _paper_listing() if on_paper else listing)
    if problems:
        raise ManifestError(problems)
    return draft.spec


def _paper_listing() -> checks.Listing:
    """What the embedded exchange lists; imported late, because only paper fleets ask."""
    from agents.sim.universe import default_universe

    universe = default_universe()
    return {
        dex.name: {
            asset.name: checks.Listed(
                asset.leverage_max,
                isolated_only=asset.margin_mode != "normal",
                delisted=asset.delisted,
            )
            for asset in dex.assets
        }
        for dex in universe.dexes
    }


def _from_environment(source: Source) -> list[Problem]:
    """Put the environment's values in the place of ``{env: NAME}`` under ``paper:``."""
    paper = source.data.get("paper")
    if not isinstance(paper, dict):
        return []
    problems: list[Problem] = []
    _fill(source, paper, ("paper",), problems)
    recording = paper.get("recording")
    if isinstance(recording, str) and recording:
        paper["recording"] = _recording(source, recording, problems)
    return problems


def _fill(source: Source, values: dict[str, Any], path: Path, problems: list[Problem]) -> None:
    for key, value in values.items():
        here = (*path, key)
        if not isinstance(value, dict):
            continue
        if value.keys() != {"env"}:
            _fill(source, value, here, problems)
            continue
        name = value["env"]
        if not isinstance(name, str) or not os.environ.get(name):
            text = f"environment variable {name} is not set"
            mend = f"export {name}={'FILE' if key == 'recording' else 'VALUE'} and try again"
            problems.append(source.problem(here, text, mend))
            continue
        values[key] = _plain(key, os.environ[name])
        if key == "recording":  # a path from the shell is the shell's, one written down the file's
            values[key] = str(File(values[key]).expanduser().absolute())


def _plain(key: str, text: str) -> str | float | bool:
    """A value of the environment as YAML would read it; names stay text."""
    if key in _TEXTS:
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, int | float) else text


def _recording(source: Source, given: str, problems: list[Problem]) -> str:
    """The recording's absolute path, beside the manifest unless it says otherwise."""
    path = (
        File(source.file_of(("paper", "recording"))).parent / File(given).expanduser()
    ).absolute()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        mend = "name a recording (*.jsonl.zst)"
        problems.append(source.problem(("paper", "recording"), f"{path} {what}", mend))
    return str(path)
