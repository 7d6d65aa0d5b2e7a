"""The page of all metrics is the one that the declarations make."""

from pathlib import Path

from fleet.metrics.table import page, rows

PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "python -m fleet.metrics.table > docs/metrics.md"


def test_each_name_stands_once_and_says_what_it_is() -> None:
    names = [name for name, *_ in rows()]
    assert len(names) == len(set(names))
    assert all(text for *_, text in rows())
