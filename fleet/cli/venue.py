"""``fleet venue``: the embedded exchange alone, with the options of its own process."""

import sys
from collections.abc import Sequence

from fleet.cli.failure import ExitCode

_USAGE = 2
"""What argparse exits with; the contract's code for a usage error is 3."""


def run(args: Sequence[str]) -> int:
    from fleet.venue.main import main

    try:
        return int(main(list(args)) or 0)
    except SystemExit as end:
        if end.code == _USAGE:
            return ExitCode.INVALID
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
            return ExitCode.INVALID
        return int(end.code or 0)
