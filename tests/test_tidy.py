"""The rules of the house that no linter knows: lengths, banned calls, docstrings, mirroring."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for top in ("agents", "fleet") for path in ROOT.glob(f"{top}/**/*.py"))
TESTS = sorted(ROOT.glob("tests/**/*.py"))
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

DECIDING = [
    "agents/engine.py",
    "agents/state.py",
    "agents/handlers",
    "agents/market",
    "agents/estimators",
    "agents/strategy",
    "agents/orders",
    "agents/risk",
    "agents/events.py",
    "agents/commands.py",
    "agents/settings.py",
    "agents/skew.py",
    "agents/portfolio.py",
    "agents/kept.py",
    "agents/sim",
    "fleet/risk",
    "fleet/world",
    "fleet/backtest",
    "fleet/supervisor/reconcile.py",
    "fleet/gateway/core",
]
# What an import contract cannot see: reached through an allowed module, or without an import.
BANNED = {
    "numpy.random", "np.random", "datetime.now", "time.time", "time.monotonic", "time.time_ns",
    "time.monotonic_ns", "time.sleep", "random.random", "os.environ", "os.urandom", "uuid.uuid4",
    "open", "print", "input", "hash", "id",
}  # fmt: skip


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    quoted = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if quoted else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_file_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES_MAX, "split it by meaning"
    long = [
        f"{f.name}: {length(f)}"
        for f in functions(ast.parse(text))
        if length(f) > FUNCTION_LINES_MAX
    ]
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "open with one sentence that says what it is"
    if path.name == "__init__.py":
        assert len(tree.body) == 1, "__init__.py holds a docstring and nothing else"


def deciding_files() -> list[Path]:
    return [
        p
        for p in SOURCES
        if any(name_of(p) == d or name_of(p).startswith(d + "/") for d in DECIDING)
    ]


@pytest.mark.parametrize("path", deciding_files(), ids=name_of)
def test_deciding_code_takes_time_and_chance_as_arguments(path: Path) -> None:
    calls = [
        f"{node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and any(
            ast.unparse(node.func) == banned or ast.unparse(node.func).startswith(banned + ".")
            for banned in BANNED
        )
    ]  # fmt: skip
    assert not calls


@pytest.mark.parametrize("path", sorted(ROOT.glob("tests/unit/**/test_*.py")), ids=name_of)
def test_unit_tests_mirror_the_source(path: Path) -> None:
    """``test_x.py`` is of ``x``; one that grew too long goes on in ``test_x_more.py``."""
    folder = ROOT / path.relative_to(ROOT / "tests/unit").parent
    words = path.stem.split("_")
    names = ["_".join(words[:n]) for n in range(2, len(words) + 1)]
    tested = [name.removeprefix("test_") for name in names if path.with_name(f"{name}.py").exists()]
    sources = [folder / f"{stem}{end}" for stem in tested for end in (".py", ".sh", "")]
    assert any(source.exists() for source in sources), f"nothing in {folder} that it would test"


def test_asserts_are_on() -> None:
    assert __debug__, "asserts are part of the program: never run it with -O"
