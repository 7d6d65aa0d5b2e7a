"""The manifest's reference as Markdown, out of its JSON Schema: ``fleet schema --markdown``."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Part = Mapping[str, Any]

HEAD: Final = """\
# The manifest, key by key

Made by `fleet schema --markdown`; a test holds it to the schema. How each key acts is told in
[gateway.md](gateway.md), [strategy.md](strategy.md), [estimators.md](estimators.md) and
[risk.md](risk.md).

* A key that is not here is an error, told with file, line and the nearest that is. So is a key that
  stands twice.
* `defaults` lies under every market: the market's own key wins, leaf by leaf.
* A folder of `*.yaml` files is one manifest, whose markets and dexes add up.
* Under `paper`, a value may be taken from the environment: `{env: NAME}`.
* The last column says how a change reaches what runs: `hot` touches no order; `requote` moves the
  orders that differ; `restart` starts the market's agent (or the fleet's processes) anew;
  `replace` names another market, or another fleet.
"""


def reference(schema: Part) -> str:
    """The whole page."""
    parts: dict[str, Part] = schema["$defs"]
    lines = [HEAD, *_section("The whole fleet", schema, parts, "")]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, part: Part, parts: Mapping[str, Part], path: str) -> Iterator[str]:
    """A table of a part's leaves, then the parts inside it."""
    yield f"## {title}\n"
    if path and part.get("description"):
        yield f"{part['description']}\n"
    leaves = {name: leaf for name, leaf in part["properties"].items() if _inner(leaf) is None}
    inner = {name: leaf for name, leaf in part["properties"].items() if name not in leaves}
    if leaves:
        yield "| key | default | may be | what it is | a change is |"
        yield "|---|---|---|---|---|"
        required = part.get("required", ())
        yield from (_row(name, leaf, required) for name, leaf in leaves.items())
        yield ""
    for name, leaf in inner.items():
        ref, many = _inner(leaf) or ("", "")
        if ref == "Defaults":
            yield f"## `{name}`\n\nAny key of a market but `asset`, `dex` and `underlying`.\n"
            continue
        full = f"{path}{name}{many}"
        yield from _section(f"`{full}`", parts[ref], parts, f"{full}.")


def _inner(leaf: Part) -> tuple[str, str] | None:
    """(the part that the key holds, how it is repeated); None for a leaf."""
    many = ""
    for each, sign in ((leaf.get("items"), "[]"), (leaf.get("additionalProperties"), ".NAME")):
        if isinstance(each, dict) and "$ref" in each:
            leaf, many = each, sign
    for each in (leaf, *leaf.get("anyOf", ())):
        ref = str(each.get("$ref", "")).rpartition("/")[2]
        if ref and ref != "FromEnvironment":
            return ref, many
    return None


def _row(name: str, leaf: Part, required: Any) -> str:  # noqa: ANN401  # a list of names
    default = "required" if name in required else _shown(leaf.get("default"))
    unit = leaf.get("x-unit")
    said = leaf.get("description", "")
    told = f"{said} ({unit})" if unit and unit not in said else said
    applies = leaf.get("x-applies", "hot")
    cells = (f"`{name}`", default, _allowed(leaf), told, applies)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _allowed(leaf: Part) -> str:
    """Choices or range, where there are any."""
    kinds = [leaf, *leaf.get("anyOf", ()), leaf.get("items", {})]
    for kind in kinds:
        if "enum" in kind:
            return ", ".join(f"`{choice}`" for choice in kind["enum"])
    for kind in kinds:
        low, high = _bounds(kind)
        if low or high:
            return f"{low} … {high}".strip()
    names = {str(kind["type"]) for kind in kinds if "type" in kind} - {"null", "array"}
    words = {"number": "a number", "integer": "a whole number", "string": "text"}
    return next((words.get(name, "true, false") for name in sorted(names)), "")


def _bounds(kind: Part) -> tuple[str, str]:
    low = next((f"{s}{_number(kind[k])}" for k, s in _LOWS if k in kind), "")
    high = next((f"{s}{_number(kind[k])}" for k, s in _HIGHS if k in kind), "")
    return low, high


_LOWS: Final = (("minimum", ""), ("exclusiveMinimum", "> "))
_HIGHS: Final = (("maximum", ""), ("exclusiveMaximum", "< "))


def _number(value: float) -> str:
    return f"{value:g}"


def _shown(value: Any) -> str:  # noqa: ANN401  # any JSON value
    if value is None or value in ("", []):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value) if isinstance(value, float) else str(value)
