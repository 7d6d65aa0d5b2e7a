"""The page of all verbs is the one that the verbs make, and every verb in the docs is one."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from fleet.cli.app_house import app
from fleet.cli.failure import ExitCode
from fleet.cli.main import _verb_first
from fleet.cli.reference import _MEANS, page

ROOT = Path(__file__).parents[4]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = re.compile(r"fleet (?:--fleet \S+ )?(?!venue)\w+ \S")
"""With something behind the verb; a verb alone is only its name."""
_CONTROL = re.compile(r"\s*(?:#|\||>|;|&&|  ).*")


def test_the_page_is_up_to_date() -> None:
    told = "python -m fleet.cli.reference > docs/cli.md"
    assert (ROOT / "docs" / "cli.md").read_text() == page(), told


def test_each_option_says_what_it_does() -> None:
    silent = [line for line in page().splitlines() if re.fullmatch(r"\| `[^`]+` \|  \|.*", line)]
    assert silent == []


def test_each_exit_code_is_told() -> None:
    assert set(_MEANS) == set(ExitCode)


def commands() -> list[tuple[str, str]]:
    """Every line of a code block that begins with ``fleet`` or a path to it, and what stands in
    the midst of a text as code.
    """
    found = []
    for path in DOCS:
        inside = False
        for line in path.read_text().splitlines():
            if line.startswith("```"):
                inside = not inside
            shown = re.match(r"(?:\$ |[A-Z_]+=\S+ )*(?:\.venv/bin/)?(fleet .*)", line.strip())
            if shown and (inside or line.startswith("    ")):
                found.append((path.name, shown[1]))
            elif not inside:
                found += [(path.name, text) for text in re.findall(r"`(fleet [^`]+)`", line)]
    return found


def command_line(line: str) -> list[str]:
    """What is typed after ``fleet``, the verb first."""
    words = shlex.split(_CONTROL.sub("", line), comments=True)[1:]
    return _verb_first([word.strip("[]") for word in words if word not in {"…", "..."}])


@pytest.mark.parametrize(("where", "line"), commands())
def test_each_command_in_the_docs_can_be_typed(where: str, line: str) -> None:
    args = command_line(line)
    command = typer.main.get_command(app)
    names = getattr(command, "commands", {})
    verb = args.pop(0) if args else "--help"
    if verb.startswith("-"):
        return
    assert verb in names, f"{where}: fleet has no verb {verb}"
    found = names[verb]
    if hasattr(found, "commands"):
        assert args[0] in found.commands, f"{where}: fleet {verb} has no {args[0]}"
        found = found.commands[args.pop(0)]
    if NAMED.search(line):
        found.make_context(verb, args)  # raises where it would be refused as it is typed
    known = {name for param in found.params for name in getattr(param, "opts", ())}
    unknown = {arg.partition("=")[0] for arg in args if re.match(r"--?[a-z]", arg)} - known
    assert not unknown or verb == "venue", f"{where}: fleet {verb} has no {unknown}"


def test_the_docs_hold_commands() -> None:
    assert len(commands()) > 20
