"""What positions come to, together."""

from decimal import Decimal

import pytest

from fleet.gateway.api import MarketView
from fleet.risk.exposure import equity_usd, exposure, underlying_of, view_age_ms
from tests.unit.fleet.views import NOW_MS, dex_view, settings, status, view


def held(market: str, sz: str, mark_px: float | None = 100.0, *, nets: bool = False) -> MarketView:
    return view(
        market, position_sz=Decimal(sz), mark_px=mark_px, settings=settings(market, nets=nets)
    )


DEXES = (dex_view(), dex_view("hyna", token="USDE", token_mark_usd=0.99))


def test_gross_adds_what_net_sets_off() -> None:
    found = exposure(status(held("BTC", "2"), held("ETH", "-5")))
    assert (found.gross_usd, found.net_usd) == (700.0, -300.0)
    assert found.underlyings_usd == {"BTC": 200.0, "ETH": 500.0}


def test_a_position_counts_at_its_tokens_mark() -> None:
    found = exposure(status(held("hyna:BTC", "2"), dexes=DEXES))
    assert found.gross_usd == pytest.approx(198.0)


@pytest.mark.parametrize(
    ("nets", "gross_usd"),
    [((False, False), 300.0), ((True, False), 300.0), ((True, True), 300.0 - 2 * 0.8 * 100.0)],
)
def test_one_underlying_nets_only_where_both_sides_say_so(
    nets: tuple[bool, bool], gross_usd: float
) -> None:
    dexes = (dex_view(), dex_view("hyna"))
    markets = (held("BTC", "2", nets=nets[0]), held("hyna:BTC", "-1", nets=nets[1]))
    found = exposure(status(*markets, dexes=dexes))
    assert found.underlyings_usd == {"BTC": pytest.approx(gross_usd)}
    assert found.gross_usd == pytest.approx(300.0), "netting is the underlying's, not the fleet's"


def test_two_longs_never_net() -> None:
    markets = (held("BTC", "2", nets=True), held("hyna:BTC", "1", nets=True))
    found = exposure(status(*markets, dexes=(dex_view(), dex_view("hyna"))))
    assert found.underlyings_usd == {"BTC": 300.0}


def test_what_has_no_mark_is_named_and_what_is_flat_needs_none() -> None:
    markets = (held("BTC", "2", None), held("ETH", "0", None), held("hyna:BTC", "1"))
    found = exposure(status(*markets))
    assert found.unknown == ("BTC", "hyna:BTC")
    assert found.gross_usd == 0.0


def test_an_underlying_is_named_by_the_manifest_or_the_ticker() -> None:
    assert underlying_of(view("hyna:BTC")) == "BTC"
    assert underlying_of(view("WLFI", settings=settings("WLFI", underlying="TRUMP"))) == "TRUMP"


def test_equity_is_the_sum_at_token_marks_or_unknown() -> None:
    assert equity_usd(status(dexes=DEXES)) == pytest.approx(19_900.0)
    unmarked = dex_view("hyna", token_mark_usd=None)
    assert equity_usd(status(dexes=(dex_view(), unmarked))) is None
    empty = dex_view("hyna", token_mark_usd=None, account_value=Decimal(0))
    assert equity_usd(status(dexes=(dex_view(), empty))) == 10_000.0
    assert equity_usd(status(dexes=())) is None


def test_the_views_age_is_its_oldest_dexs_by_venue_time() -> None:
    dexes = (dex_view(), dex_view("hyna", as_of_ms=NOW_MS - 4_000), dex_view("xyz", as_of_ms=0))
    seen = status(view("BTC"), view("hyna:BTC"), dexes=dexes, venue_offset_ms=-1_000.0)
    assert view_age_ms(seen, NOW_MS) == 3_000
    assert view_age_ms(status(view("xyz:NVDA"), dexes=(dex_view(),)), NOW_MS) is None
