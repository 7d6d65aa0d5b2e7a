"""One table for all benchmarks of a run."""

from collections.abc import Iterator

import pytest

from tests.bench.figures import Figures


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Rows are added by the benchmarks; the table is printed when the last one is done."""
    collected = Figures()
    yield collected
    print("\n\n" + collected.table())  # noqa: T201 - this is what `make bench` is for
    over = [row.name for row in collected.rows if not row.kept]
    assert not over, f"over the limit: {', '.join(over)}"
