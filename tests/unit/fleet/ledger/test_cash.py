"""Cash and peak by hand: what is missing shows as drift, and a transfer is never a loss."""

from decimal import Decimal
from pathlib import Path

import pytest

from fleet.gateway.records import Body, Equity, Filled, Funding, Moved
from fleet.ledger.cash import cash
from fleet.ledger.peak import drawdown
from fleet.ledger.schema import MINUTE_MS
from fleet.ledger.tokens import token_periods
from tests.unit.fleet.ledger.test_query import DAY, book, filled


def frame(
    minute: int, raw: str, *, value: str | None = None, dex: str = "", mark: float | None = 1.0
) -> Equity:
    token = "USDE" if dex else "USDC"
    return Equity(
        dex, token, DAY + minute * MINUTE_MS, Decimal(value or raw), Decimal(raw), Decimal(0), mark
    )


def moved(minute: int, amount: str | None, *, dex: str = "", what: str = "send") -> Moved:
    at_ms = DAY + minute * MINUTE_MS
    found = None if amount is None else Decimal(amount)
    return Moved(what, dex, "USDC", at_ms, f"0x{minute}{amount}", found)


def test_fills_fees_funding_and_transfers_explain_the_balance(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(
        path,
        filled("1", "100", start="0", at_ms=DAY - 1, fee="1"),  # before the first frame
        frame(0, "1000"),
        filled("-1", "110", start="1", at_ms=DAY + 100, fee="-0.5"),
        Funding("BTC", DAY + 200, Decimal(-2), Decimal(1), Decimal("0.001")),
        moved(1, "50"),
        frame(2, "1158.5"),
        filled("3", "100", start="0", at_ms=DAY + 3 * MINUTE_MS, fee="1"),  # after the last one
    )
    (book_of,) = cash(path).values()
    assert book_of.drift == 0
    assert book_of.balanced
    assert [book_of.trades, book_of.fees, book_of.funding] == [110, Decimal("-0.5"), -2]
    assert book_of.moved == 50
    assert book_of.fills == 1


def test_what_is_missing_is_drift_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, frame(0, "1000"), moved(1, None, what="rewardsClaim"), frame(2, "1003"))
    (book_of,) = cash(path).values()
    assert book_of.drift == 3
    assert not book_of.balanced
    assert book_of.text == (
        "main DEX: +3.000000 USDC of the balance is explained by no fill, fee, funding or "
        "transfer; not understood: rewardsClaim"
    )


def test_spot_fills_are_no_ones_here(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    spot = filled("1", "100", start="0", at_ms=DAY + 1, fee="1")
    for coin in ("@107", "PURR/USDC", "#12"):
        fill = spot.fill.__class__(**{
            name: getattr(spot.fill, name) for name in spot.fill.__struct_fields__
        } | {"coin": coin})  # fmt: skip
        book(path, Filled(fill, ours=False, mid_px=None))
    book(path, frame(0, "1000"), frame(2, "1000"))
    assert cash(path)[""].drift == 0


MOVES: dict[str, list[Body]] = {
    "the row first": [moved(1, "-400"), frame(1, "600"), frame(2, "600")],
    "the balance first": [frame(1, "600"), moved(1, "-400"), frame(2, "600")],
    "the row a minute later": [frame(1, "600"), frame(2, "600"), moved(1, "-400")],
}


@pytest.mark.parametrize("order", MOVES)
def test_a_withdrawal_is_no_drawdown_whichever_is_heard_first(tmp_path: Path, order: str) -> None:
    path = tmp_path / "ledger.db"
    book(path, frame(0, "1000"), *MOVES[order], *(frame(n, "600") for n in range(3, 7)))
    lost = drawdown(path)
    assert lost is not None
    assert (lost.peak_usd, lost.net_usd, lost.share) == (1000, 1000, 0)
    assert lost.moved_usd == -400


def test_a_deposit_hides_no_loss_and_the_peak_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, frame(0, "1000"), frame(1, "1200"), *(frame(n, "1200") for n in range(2, 5)))
    book(path, moved(5, "500"), *(frame(n, "1610") for n in range(5, 9)))
    lost = drawdown(path)
    assert lost is not None
    assert (lost.peak_usd, lost.net_usd, lost.moved_usd) == (1200, 1110, 500)
    assert lost.share == pytest.approx(90 / 1700)


def test_a_collateral_that_falls_is_a_loss_of_the_token_mark(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(
        path,
        frame(0, "1000", dex="hyna", mark=1.0),
        moved(2, "100", dex="hyna"),
        frame(2, "1100", dex="hyna", mark=0.99),
        frame(3, "1100", dex="hyna", mark=0.98),
    )
    (period,) = token_periods(path, (DAY, DAY + 4 * MINUTE_MS))
    assert [period.mark_usd, period.moved] == [Decimal("0.98"), 100]
    assert period.token_mark_usd == 1000 * Decimal("-0.02") + 100 * Decimal("-0.01")


def test_a_token_without_a_mark_leaves_the_sum_unknown(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *(frame(n, "1000", dex="hyna", mark=None) for n in range(4)))
    (period,) = token_periods(path, (DAY, DAY + 4 * MINUTE_MS))
    assert (period.mark_usd, period.token_mark_usd) == (None, None)
    assert drawdown(path) is None
