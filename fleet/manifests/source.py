"""A manifest's text as plain values, with the line on which each of them stands.

PyYAML's nodes are walked by hand: the ordinary constructor forgets positions and keeps the last of
two equal keys. Tags beyond plain YAML are refused, and so is a text that expands without end.
"""

import re
from pathlib import Path as File
from typing import Any, Final

import yaml

from fleet.manifests.errors import ManifestError, Path, Problem, dotted

SIZE_MAX: Final = 1_000_000
NODES_MAX: Final = 50_000
_PLAIN_TAGS: Final = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_KEY_LIKE: Final = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


class Source:
    """``data``: the document as dicts, lists and scalars; ``lines``: path → line, from 1.

    ``files``: path → file, where a document is made of several; else all stands in ``file``.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: dict[str, Any] = {}
        self.lines: dict[Path, int] = {}
        self.files: dict[Path, str] = {}

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest parent that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def file_of(self, path: Path) -> str:
        """The file of ``path``, or of the nearest parent that is written down."""
        while path and path not in self.files:
            path = path[:-1]
        return self.files.get(path, self.file)

    def problem(self, path: Path, text: str, mend: str, *, line: int | None = None) -> Problem:
        return Problem(self.file_of(path), line or self.line(path), dotted(path), text, mend)


def read(path: File) -> Source:
    """The manifest in ``path``; raises ``ManifestError`` for what is no plain YAML mapping."""
    text = _text(path)
    source = Source(str(path))
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        walk = _Walk(source, loader)
        data = walk.value(root, ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        raise ManifestError([_broken(source, error)]) from None
    finally:
        loader.dispose()
    problems = _secrets(source, text) or walk.problems
    if problems:
        raise ManifestError(problems)
    if not isinstance(data, dict):
        what = "is empty" if data is None else "is not a mapping of keys"
        raise ManifestError([Problem(source.file, 1, "", f"the manifest {what}", _START)])
    source.data = data
    return source


_START: Final = "start from manifests/paper.yaml: fleet, network, markets"


def _text(path: File) -> str:
    def refused(text: str, mend: str) -> ManifestError:
        return ManifestError([Problem(str(path), 0, "", text, mend)])

    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise refused("no such file", "give the path of a manifest") from None
    except IsADirectoryError:
        raise refused("is a folder", "name one manifest file in it") from None
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}", "mend its permissions") from None
    if len(raw) > SIZE_MAX:
        raise refused(f"{len(raw)} bytes are no manifest", "give a YAML file below 1 MB")
    try:
        text = raw.decode("utf-8-sig")
        yaml.reader.Reader(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problem = Problem(str(path), line, "", "is not UTF-8 text", "save it as UTF-8")
        raise ManifestError([problem]) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        what = f"broken YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        problem = Problem(str(path), line, "", what, "remove it")
        raise ManifestError([problem]) from None
    return text


def _broken(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    text = error.problem or error.context or "cannot be parsed"
    mend = "check indentation, quotes and colons on this line and the one above"
    if "'\\t'" in text:
        text, mend = "a tab stands where only spaces may", "indent with spaces"
    elif "expected a single document" in (error.context or ""):
        text, mend = "a second document begins with ---", "keep one manifest a file"
    return Problem(source.file, mark.line + 1 if mark else 1, "", f"broken YAML: {text}", mend)


def _secrets(source: Source, text: str) -> list[Problem]:
    """Sixty-four hex digits anywhere, comments included; the problem never shows them."""
    keys = {line: path for path, line in source.lines.items()}
    return [
        source.problem(
            keys.get(number, ()),
            "64 hex digits look like a private key, and a key must not stand in a manifest",
            "move it away and write api_wallet: {env: FLEET_API_KEY} or {file: PATH}",
            line=number,
        )
        for number, line in enumerate(text.splitlines(), 1)
        if _KEY_LIKE.search(line.replace("0x", " ").replace("0X", " "))
    ]


class _Walk:
    """One pass over the nodes; collects duplicate keys and odd values on its way."""

    def __init__(self, source: Source, loader: yaml.SafeLoader) -> None:
        self._source = source
        self._loader = loader
        self._open: set[int] = set()
        self._nodes = 0
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, path: Path) -> Any:  # noqa: ANN401  # any YAML value
        self._source.lines.setdefault(path, node.start_mark.line + 1)
        self._nodes += 1
        if id(node) in self._open or self._nodes > NODES_MAX:
            what = "refers to itself" if id(node) in self._open else "expands without end"
            raise yaml.MarkedYAMLError(problem=f"an alias {what}", problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag not in _PLAIN_TAGS:
            what = f"the tag {node.tag!r} is not allowed"
            raise yaml.MarkedYAMLError(problem=what, problem_mark=node.start_mark)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:  # noqa: ANN401
        try:
            return self._loader.construct_object(node)
        except (ValueError, OverflowError):
            self._report(node, path, f"{node.value!r} cannot be read", "put it into quotes")
            return None

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(key_node, path, "a key that is no plain word", "write one word")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in found:
                text = f"duplicate key, first given on line {self._source.lines[here]}"
                self._report(key_node, here, text, "keep one of the two")
                continue
            self._source.lines[here] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, here)
        return found

    def _report(self, node: yaml.Node, path: Path, text: str, mend: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append(self._source.problem(path, text, mend, line=line))
