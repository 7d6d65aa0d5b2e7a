"""Isolated positions get what a new one would be given, within the market's margin."""

from decimal import Decimal

import pytest

from fleet.gateway.api import MarketView
from fleet.supervisor.margins import action, top_up
from tests.unit.fleet.views import NOW_MS, dex_view, view


def held(equity: str, sz: str = "6", entry_px: str = "100") -> MarketView:
    """A position at a mark of 100 with so much equity; 3x, margin 1000."""
    raw = Decimal(equity) - Decimal(sz) * 100
    return view("hyna:BTC", position_sz=Decimal(sz), entry_px=Decimal(entry_px), isolated_raw=raw)


@pytest.mark.parametrize(
    ("seen", "amount"),
    [
        (held("200"), None),
        (held("170"), None),
        (held("150"), "50.00"),
        (held("20"), "180.00"),
        (held("150", sz="-6"), "50.00"),
        (held("100", entry_px="240"), "60.00"),  # 940 of its 1000 are in it already
        (held("100", entry_px="260"), None),  # all of it is
        (view("hyna:BTC"), None),
        (view("hyna:BTC", position_sz=Decimal(6), entry_px=Decimal(100)), None),
    ],
)
def test_what_it_gets(seen: MarketView, amount: str | None) -> None:
    step = top_up(seen, dex_view("hyna"))
    assert (None if step is None else str(step.amount)) == amount


def test_never_more_than_is_free_on_the_dex() -> None:
    poor = dex_view("hyna", account_value=Decimal(130), margin_used=Decimal(100))
    step = top_up(held("20"), poor)
    assert step is not None
    assert step.amount == 30
    assert top_up(held("20"), dex_view("hyna", account_value=Decimal(0))) is None


def test_the_cap_is_in_usd_at_the_tokens_mark() -> None:
    seen = held("100", sz="30")
    step = top_up(seen, dex_view("hyna", token_mark_usd=1.25))
    assert step is not None
    assert step.amount == 700  # 800 of the token, 100 of them in it already


def test_one_frame_asks_under_one_key() -> None:
    seen = held("150")
    step = top_up(seen, dex_view("hyna"))
    assert step is not None
    assert seen.instrument is not None
    post = action(step, seen.instrument)
    assert post.key == f"margin-hyna:BTC-{NOW_MS}"
    assert post.action["ntli"] == 50_000_000
