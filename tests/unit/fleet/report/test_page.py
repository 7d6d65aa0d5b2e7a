"""The page stands alone, is well-formed, and says what is not known."""

from decimal import Decimal
from html.parser import HTMLParser

import pytest

from fleet.ledger.edge import Edge
from fleet.ledger.periods import Period
from fleet.report.gather import MarketPage, Mean, Slope
from fleet.report.page import page

ONE = Decimal(1)
VOID = {"meta", "link", "polyline", "rect", "line"}


class Reader(HTMLParser):
    """Every tag that is opened is closed, in order; addresses are collected."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID, f"{tag} {attrs} is closed as it is opened"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def market(**changed: object) -> MarketPage:
    period = Period(
        market="hyna:BTC", since_ms=0, until_ms=1, realized_usd=ONE, unrealized_usd=None,
        fees_usd=ONE, funding_usd=ONE, volume_usd=ONE, fills=1, taker_fills=0, spread_usd=ONE,
        inventory_usd=None, basis_usd=None, without_mid=0, adverse_usd={}, edge_usd={},
        marked_usd={},
    )  # fmt: skip
    facts: dict[str, object] = {
        "market": "hyna:<BTC>", "period": period, "edge": Edge("loses", 60, 30, -2.0, -3.0, -1.0),
        "pnl": ((0, 0.0), (60_000, 5.0)), "position": ((0, 1.0), (60_000, -1.0)),
        "markouts": (Mean("0 s", 9, 1.0, 0.2), Mean("60 s", 9, -0.5, 0.4)),
        "by_depth": (Mean("0-1", 9, -0.5, None),), "fills_by_depth": (("0-1", 9),),
        "sigma_bps": Mean("sigma", 40, 2.0, 0.2), "hours": 2.0,
        "decay": Slope(0.5, 0.1, 40, 12.0, 0.15, 1.1),
    }  # fmt: skip
    return MarketPage(**facts | changed)  # type: ignore[arg-type]  # as named above


EMPTY = market(
    edge=None, pnl=(), position=(), markouts=(), by_depth=(), fills_by_depth=(), sigma_bps=None,
    decay=None,
)  # fmt: skip


@pytest.mark.parametrize("pages", [[], [market()], [market(), EMPTY]])
def test_the_page_is_whole_and_needs_nothing_else(pages: list[MarketPage]) -> None:
    reader = Reader()
    text = page("prod", pages, 0, 60_000)
    reader.feed(text.partition(">")[2])
    assert reader.open == []
    assert all(address.startswith("data:") for address in reader.addresses)
    assert "<script" not in text
    assert "<BTC>" not in text


def test_it_says_how_sure_it_is() -> None:
    reader = Reader()
    reader.feed(page("prod", [market()], 0, 60_000))
    assert "It loses, as far as a sequential test at 5 % can say" in reader.words
    assert "2.00 ± 0.40 bps per root second" in reader.words
    assert "κ = 0.500 ± 0.200 per bps, 40 fills" in reader.words
    assert "12.0 ± 30 % an hour and bp at the mid" in reader.words
    assert "no more than chance is off the line" in reader.words
    assert "-0.50 are left 60 s later" in reader.words


def test_what_is_not_known_is_a_question_mark_or_a_word() -> None:
    reader = Reader()
    reader.feed(page("prod", [EMPTY], 0, 60_000))
    assert "?" in reader.words
    assert reader.words.count("nothing to show yet") == 5
    assert "Too few fills to say whether it earns its keep" in reader.words
