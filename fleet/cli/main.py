"""The command ``fleet``: runs one verb, and maps every failure to one line and an exit code."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

from fleet.cli.failure import ExitCode, Failure

GC_THRESHOLD: Final = 50_000
"""Importing makes objects that all stay: looking through them costs a tenth of ``status``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; a failure is one line on stderr."""
    gc.set_threshold(GC_THRESHOLD)
    import typer

    from fleet.cli.app_house import app

    args = _verb_first(list(sys.argv[1:] if argv is None else argv))
    try:
        code = app(args, prog_name="fleet", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except Failure as failure:
        return _ended(str(failure), failure.exit_code)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "fleet"
        text = f"{error.format_message().rstrip('.')}; see: {where} --help"
        return _ended(text, ExitCode.INVALID)
    except (typer.Abort, KeyboardInterrupt):
        return _ended("interrupted", 130)
    except BrokenPipeError:
        # The reader of a pipe has left; the interpreter must not complain while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNEXPECTED
    except Exception as error:
        if os.environ.get("FLEET_TRACEBACK"):
            raise
        text = f"unexpected {type(error).__name__}: {error}".replace("\n", " ")
        return _ended(f"{text}; FLEET_TRACEBACK=1 shows where", ExitCode.UNEXPECTED)


def _ended(text: str, code: int) -> int:
    lines = text.splitlines() or [""]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return int(code)


def _verb_first(args: list[str]) -> list[str]:
    """``fleet --fleet paper status`` as ``fleet status --fleet paper``: both are typed."""
    shared: list[str] = []
    while args and args[0].split("=")[0] in {"--fleet", "-o", "--output"}:
        taken = 1 if "=" in args[0] else 2
        shared, args = shared + args[:taken], args[taken:]
    return [*args[:1], *shared, *args[1:]] if args else shared
