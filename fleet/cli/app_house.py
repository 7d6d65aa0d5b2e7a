"""The verbs that look after the house: books, and what else is not about a manifest."""

import typer

from fleet.cli.app import As, Name
from fleet.cli.app_questions import app

__all__ = ["app"]

_ledger = typer.Typer(help="The books made once more from the action log and the venue.")
app.add_typer(_ledger, name="ledger", no_args_is_help=True)


@_ledger.command()
def check(output: As = "table", fleet: Name = None) -> None:
    """Make the ledger anew beside the one in use, and say what differs."""
    from fleet.cli import ledger as verb

    verb.run(output, fleet, replace=False)


@_ledger.command()
def rebuild(output: As = "table", fleet: Name = None) -> None:
    """Make the ledger anew, and put it in the place of the one in use."""
    from fleet.cli import ledger as verb

    verb.run(output, fleet, replace=True)
