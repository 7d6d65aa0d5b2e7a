"""A bar for eyes, lines for logs."""

import io

from fleet.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_in_a_log() -> None:
    log = io.StringIO()
    progress = Progress(4, log)
    progress.at(2, "quote")
    progress.line("BTC QUOTING")
    progress.end()
    assert log.getvalue() == "BTC QUOTING\n"


def test_a_bar_on_a_terminal() -> None:
    terminal = Terminal()
    progress = Progress(4, terminal)
    progress.at(2, "quote")
    progress.line("BTC QUOTING")
    progress.end()
    bar = f"[{'#' * 15}{'.' * 15}] 2/4 quote"
    assert bar in terminal.getvalue()
    assert f"\r\x1b[KBTC QUOTING\n{bar}" in terminal.getvalue(), "a line goes above the bar"
    assert terminal.getvalue().endswith("\r\x1b[K"), "and nothing of the bar is left"
