"""``fleet status``: observe once and print; ``--watch`` does it again each second."""

import contextlib
import time
from typing import Any, Final

from fleet.cli.console import Output, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.observe import observe
from fleet.cli.status_json import status_json
from fleet.folder import Folder

LOOK_S: Final = 1.0


def run(market: str | None, *, watch: bool, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    if watch and output == "json":
        mend = "leave one of them out"
        raise Failure(ExitCode.INVALID, "--watch draws a table, and JSON was asked for", mend)
    document = _document(folder, market)
    if output == "json":
        put_json(document)
        return
    from fleet.cli import status_table

    if watch:
        _watch(folder, market)
    else:
        status_table.draw(document)


def _document(folder: Folder, market: str | None) -> dict[str, Any]:
    seen = observe(folder)
    document = status_json(seen, market)
    if market is not None and not document["markets"]:
        names = ", ".join(row["market"] for row in status_json(seen)["markets"]) or "none"
        text = f"no market {market!r} in fleet {folder.root.name}"
        raise Failure(ExitCode.INVALID, text, f"its markets: {names}")
    return document


def _watch(folder: Folder, market: str | None) -> None:
    """On the terminal's other screen, until interrupted; then the last look stays."""
    from rich.live import Live

    from fleet.cli.status_table import console_for_table, render
    from fleet.cli.trails import Trails

    console, trails = console_for_table(), Trails()
    if not console.is_terminal:
        mend = "leave --watch out, or run it in a terminal"
        raise Failure(ExitCode.INVALID, "--watch needs a terminal to draw on", mend)
    document = _document(folder, market)
    with (
        contextlib.suppress(KeyboardInterrupt),
        Live(console=console, auto_refresh=False, screen=True) as live,
    ):
        while True:
            trails.take(document)
            live.update(render(document, console.width, console.height, trails), refresh=True)
            time.sleep(LOOK_S)
            document = _document(folder, market)
    console.print(render(document, console.width))
