"""A schema error as a problem: what stands there, what may stand there, and what to write."""

import difflib
from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fleet.manifests.errors import Path, Problem
from fleet.manifests.schema import Manifest
from fleet.manifests.source import Source

_BOUNDS: Final = {
    "greater_than": ("gt", "is not above"),
    "greater_than_equal": ("ge", "is below"),
    "less_than": ("lt", "is not below"),
    "less_than_equal": ("le", "is above"),
}
_TYPES: Final = {
    "float_type": "is not a number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "finite_number": "is not a finite number",
    "string_type": "is not text",
    "bool_type": "is not true or false",
    "list_type": "is not a list",
    "dict_type": "is not a mapping of keys",
    "model_type": "is not a mapping of keys",
    "model_attributes_type": "is not a mapping of keys",
    "string_pattern_mismatch": "is not of the right form",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
}


def explain(source: Source, error: ValidationError) -> list[Problem]:
    """Every error of the schema's check, each at the line of the value that it is about."""
    return [_problem(source, detail) for detail in error.errors()]


def _problem(source: Source, error: ErrorDetails) -> Problem:
    path: Path = tuple(error["loc"])
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "fleet":
        return source.problem(path, error["msg"], str(context["mend"]))
    if kind == "extra_forbidden":
        return source.problem(path, f"unknown key {path[-1]!r}", _nearest(path))
    if kind == "too_short":
        return source.problem(path, "names no market", "list at least one, or run: fleet down")
    return _value_problem(source, error, path, _leaf(path))


def _value_problem(
    source: Source, error: ErrorDetails, path: Path, leaf: FieldInfo | None
) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        example = _example(leaf)
        return source.problem(path, "is missing", f"add {path[-1]}: {example}")
    value = shown(error["input"])
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return source.problem(path, f"{value} {words} {shown(context[bound])}", _give(leaf))
    if kind == "literal_error":
        allowed = ", ".join(map(str, _choices(leaf)))
        return source.problem(path, f"{value} is not one of {allowed}", "write one of them")
    return source.problem(path, f"{value} {_TYPES.get(kind, 'is not allowed')}", _give(leaf))


def shown(value: object) -> str:
    """A value as an error shows it: short, and as YAML has it."""
    if value is None:
        return "an empty value"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    return text if len(text) <= 48 else f"{text[:45]}…"


def _give(leaf: FieldInfo | None) -> str:
    if leaf is None or not leaf.description:
        return f"give a value such as {_example(leaf)}"
    limits = ", ".join(filter(None, map(_limit, leaf.metadata)))
    return f"give {leaf.description}{f' ({limits})' if limits else ''}, e.g. {_example(leaf)}"


def _limit(metadata: object) -> str:
    for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")):
        if hasattr(metadata, name):
            return f"{sign} {shown(getattr(metadata, name))}"
    return ""


def _example(leaf: FieldInfo | None) -> str:
    if leaf is None:
        return "…"
    if leaf.examples:
        return str(leaf.examples[0])
    default = leaf.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel | dict):
        return "{…}"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _choices(leaf: FieldInfo | None) -> tuple[Any, ...]:
    found = get_args(leaf.annotation) if leaf else ()
    while found and get_args(found[0]):  # a list of them
        found = get_args(found[0])
    return found


def _nearest(path: Path) -> str:
    """The close match among the keys that may stand there, or all of them."""
    keys = sorted(_keys(path[:-1]))
    close = difflib.get_close_matches(str(path[-1]), keys, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"allowed here: {', '.join(keys)}"


def _keys(path: Path) -> Mapping[str, FieldInfo]:
    fields: Mapping[str, FieldInfo] = Manifest.model_fields
    for part in path:
        if isinstance(part, str) and part in fields:
            model = _model(fields[part].annotation)
            fields = model.model_fields if model else {}
    return fields


def _leaf(path: Path) -> FieldInfo | None:
    named = [part for part in path if isinstance(part, str)]
    return _keys(tuple(named[:-1])).get(named[-1]) if named else None


def _model(annotation: object) -> type[BaseModel] | None:
    """The section inside an annotation such as ``list[Market]`` or ``Paper | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part))), None)
