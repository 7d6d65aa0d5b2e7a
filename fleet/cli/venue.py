"""``fleet venue``: the embedded exchange alone, with the options of its own process."""

from collections.abc import Sequence


def run(args: Sequence[str]) -> int:
    from fleet.venue.main import main

    try:
        return main(list(args))
    except SystemExit as end:  # argparse's own way out of --help
        return int(end.code or 0)
