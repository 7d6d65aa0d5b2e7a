"""Every verb with its options, as Markdown: ``python -m fleet.cli.reference > docs/cli.md``."""

import sys
from collections.abc import Iterator
from typing import Any, Final

import typer

from fleet.cli.app_house import app
from fleet.cli.failure import ExitCode

HEAD: Final = """# Commands

`--fleet NAME` picks one where several run; `-o json` prints JSON alone on stdout, messages go to
stderr. Whoever makes a mistake reads one line: what, where, and the mend. This page is made by
`python -m fleet.cli.reference`.
"""
_MEANS: Final = {
    ExitCode.DONE: "done, or nothing to change",
    ExitCode.UNEXPECTED: "unexpected; `simulate`: violations",
    ExitCode.CHANGES: "there is something to do (`plan`)",
    ExitCode.INVALID: "an invalid manifest or argument",
    ExitCode.NOT_CONVERGED: "not all quote in time; it goes on trying",
    ExitCode.HALTED: "the fleet is halted",
    ExitCode.LOCKED: "another controller holds the account",
    ExitCode.OUT_OF_REACH: "venue or gateway out of reach",
}


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    lines = [HEAD, "## Exit codes", "", "| code | means |", "|---|---|"]
    lines += [f"| {int(code)} | {text} |" for code, text in _MEANS.items()]
    for path, command in sorted(_commands(root, "fleet")):
        lines += ["", f"## {path}", "", " ".join((command.help or "").split())]
        rows = list(_rows(command))
        if rows:
            lines += ["", "| argument or option | means | default |", "|---|---|---|", *rows]
    return "\n".join([*lines, ""])


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # click's own
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, each in command.commands.items():
        yield from _commands(each, f"{path} {name}")


def _rows(command: Any) -> Iterator[str]:  # noqa: ANN401  # click's own
    for param in command.params:
        names = [*getattr(param, "opts", ()), *getattr(param, "secondary_opts", ())]
        shown = param.human_readable_name if param.param_type_name == "argument" else None
        name = (shown or ", ".join(names)).replace("|", "\\|")
        text = " ".join((getattr(param, "help", None) or "").split()).replace("|", "\\|")
        default = param.default if isinstance(param.default, str | int | float) else None
        told = "" if default is None or default == "" or default is False else f"`{default}`"
        yield f"| `{name}` | {text} | {told} |"


if __name__ == "__main__":
    sys.stdout.write(page())
