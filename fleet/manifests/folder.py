"""A folder of manifests read as one: its files are parts of one fleet.

``fleet`` and ``network`` may stand in each file, and must agree; ``markets`` and ``dexes`` add up;
any other key stands in one file alone, ``defaults`` for the markets of all files. Every problem is
told with the file and line of its own.
"""

from pathlib import Path as File
from typing import Any, Final

from fleet.manifests.errors import ManifestError, Path, Problem
from fleet.manifests.source import Source, read

NAMES: Final = ("*.yaml", "*.yml")
_SAME: Final = frozenset({"fleet", "network"})


def read_path(path: File) -> Source:
    """The manifest in a file, or in all files of a folder; raises ``ManifestError``."""
    if not path.is_dir():
        return read(path)
    files = sorted(file for name in NAMES for file in path.glob(name) if file.is_file())
    if not files:
        text, mend = "is a folder without a manifest", "name a folder with *.yaml files, or a file"
        raise ManifestError([Problem(str(path), 0, "", text, mend)])
    whole = Source(str(path))
    problems: list[Problem] = []
    for file in files:
        try:
            _take(whole, read(file), problems)
        except ManifestError as error:
            problems += error.problems
    if problems:
        raise ManifestError(problems)
    return whole


def _take(whole: Source, part: Source, problems: list[Problem]) -> None:
    for key, value in part.data.items():
        first = whole.data.get(key)
        if key not in whole.data:
            whole.data[key] = value
            _places(whole, part, (key,), (key,))
        elif key == "markets" and isinstance(first, list) and isinstance(value, list):
            for index, market in enumerate(value):
                _places(whole, part, (key, index), (key, len(first)))
                first.append(market)
        elif key == "dexes" and isinstance(first, dict) and isinstance(value, dict):
            for name, dex in value.items():
                _once(whole, part, (key, name), problems)
                _places(whole, part, (key, name), (key, name))
                first.setdefault(name, dex)
        elif key not in _SAME or first != value:
            _again(whole, part, (key,), problems, both=(first, value) if key in _SAME else None)


def _once(whole: Source, part: Source, path: Path, problems: list[Problem]) -> None:
    if path in whole.lines:
        _again(whole, part, path, problems)


def _again(
    whole: Source,
    part: Source,
    path: Path,
    problems: list[Problem],
    both: tuple[Any, Any] | None = None,
) -> None:
    where = f"{File(whole.file_of(path)).name}:{whole.line(path)}"
    if both is not None:
        text = f"{both[1]!r} is not {both[0]!r}, as {where} says"
        problems.append(part.problem(path, text, "a folder describes one fleet: keep one of them"))
        return
    text = f"is given in {where} already"
    problems.append(part.problem(path, text, "keep it in one file of the folder"))


def _places(whole: Source, part: Source, old: Path, new: Path) -> None:
    """Take over where everything under ``old`` stands, as ``new``."""
    for path, line in part.lines.items():
        if path[: len(old)] == old:
            here = (*new, *path[len(old) :])
            whole.lines.setdefault(here, line)
            whole.files.setdefault(here, part.file)
