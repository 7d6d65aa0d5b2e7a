"""Sparklines: their shape, their width, and gaps where nothing was known."""

import pytest

from fleet.cli.trails import Trails, sparkline


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([], 4, "    "),
        ([None, None], 4, "    "),
        ([1.0], 4, "   ─"),
        ([1.0, 1.0, 1.0], 4, " ───"),
        ([1.0, 2.0], 4, "  ▁█"),
        ([float(n) for n in range(8)], 8, "▁▂▃▄▅▆▇█"),
        ([float(n) for n in range(16)], 8, "▁▂▃▄▅▆▇█"),
        ([1.0, None, 2.0], 3, "▁ █"),
        ([1.0, 2.0], 0, ""),
    ],
)
def test_the_line(values: list[float | None], width: int, drawn: str) -> None:
    assert sparkline(values, width) == drawn


def test_it_is_never_wider_than_it_may_be() -> None:
    for count in range(1, 60):
        for width in range(1, 20):
            assert len(sparkline([float(n % 7) for n in range(count)], width)) == width


def document(equity: float, total: float, *, stale: bool) -> dict[str, object]:
    row = {"market": "BTC", "stale": stale, "pnl": {"total_usd": total}}
    return {"account": {"stale": stale, "equity_usd": equity}, "markets": [row]}


def test_what_is_old_leaves_a_gap() -> None:
    trails = Trails()
    for equity, stale in ((1.0, False), (9.0, True), (2.0, False)):
        trails.take(document(equity, equity, stale=stale))
    assert trails.equity(3) == "▁ █"
    assert trails.pnl("BTC", 3) == "▁ █"
    assert trails.pnl("ETH", 3) == "   "
