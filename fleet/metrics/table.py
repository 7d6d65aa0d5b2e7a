"""The table of all metrics, as Markdown: ``python -m fleet.metrics.table > docs/metrics.md``."""

import sys
from collections.abc import Iterator
from typing import Final

from fleet.metrics import of_fleet, of_market

HEAD: Final = """# Metrics

One endpoint a fleet: `http://127.0.0.1:9090/metrics` (`metrics:` in the manifest), and
`GET /metrics` on the control socket. Each scrape looks anew; what is not known has no sample.
Names of the ancestor are kept where they mean the same. This page is made by
`python -m fleet.metrics.table`.
"""


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(name, kind, labels, help) of every declared metric."""
    base = of_market.LABELS
    for metric in of_market.GAUGES:
        yield metric.name, metric.kind, ", ".join(base), metric.help
    for labelled in of_market.LABELLED:
        yield labelled.name, labelled.kind, ", ".join((*base, *labelled.labels)), labelled.help
    for of_all in of_fleet.GAUGES:
        yield of_all.name, of_all.kind, "", of_all.help
    for by in of_fleet.LABELLED:
        yield by.name, by.kind, ", ".join(by.labels), by.help
    for durations in of_fleet.DURATIONS:
        yield durations.name, "histogram", "process", durations.help


def page() -> str:
    """The whole page."""
    lines = [f"| `{name}` | {kind} | {labels} | {text} |" for name, kind, labels, text in rows()]
    return "\n".join(
        [HEAD, "| metric | kind | labels | what it shows |", "|---|---|---|---|", *lines, ""]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
