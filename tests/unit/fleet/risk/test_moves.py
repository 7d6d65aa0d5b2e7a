"""No false loss from a transfer, in whichever order the frames and the books come."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import permutations

import pytest

from fleet.gateway.api import DexView, GatewayStatus
from fleet.risk.baseline import Baseline, day_pnl_usd, drawdown_share, roll
from fleet.risk.exposure import equity_usd
from fleet.risk.moves import PATIENCE_MS, UnderWay, held_still, shifted, unsettled
from tests.unit.fleet.views import NOW_MS, dex_view, status

MARKS = {"": 1.0, "hyna": 0.99}
AT_MS = NOW_MS + 500
SENT = UnderWay(frozenset({"", "hyna"}), NOW_MS, is_open=True, venue_ms=None)
KNOWN = UnderWay(frozenset({"", "hyna"}), NOW_MS, is_open=False, venue_ms=AT_MS)


def seen(main: int, hyna: int) -> GatewayStatus:
    dexes = (
        dex_view("", account_value=Decimal(main)),
        dex_view("hyna", account_value=Decimal(hyna), token_mark_usd=0.99),
    )
    return status(*(), dexes=dexes)


class Risk:
    """Rounds as the risk actor makes them."""

    def __init__(self) -> None:
        self.kept: Baseline | None = None
        self.last: dict[str, DexView] = {}

    def round(
        self,
        account: GatewayStatus,
        transfers: list[UnderWay],
        moved: Mapping[str, int],
        booked: set[tuple[str, int]],
    ) -> float:
        """The day's P&L that it sees."""
        unsure = unsettled(transfers, booked, AT_MS + 100)
        still = held_still(account, unsure, self.last)
        assert still is not None
        self.last |= {view.dex: view for view in account.dexes if view.dex not in unsure}
        amounts = {dex: Decimal(n) for dex, n in moved.items()}
        self.kept = shifted(self.kept, amounts, MARKS, unsure)
        equity = equity_usd(still)
        assert equity is not None
        self.kept = roll(self.kept, equity, NOW_MS)
        if self.kept.moved is None:
            self.kept = shifted(self.kept, amounts, {}, ())
            assert self.kept is not None
        assert drawdown_share(self.kept, equity) == pytest.approx(0.0, abs=1e-9)
        return day_pnl_usd(self.kept, equity)


@pytest.mark.parametrize("order", list(permutations(["out", "in", "book", "known"])))
def test_no_order_of_arrival_is_a_loss(order: tuple[str, ...]) -> None:
    """1000 leave the main DEX and come to hyna as 1000 of its token: worth 10 USD less there."""
    risk = Risk()
    main, hyna, moved, transfers = 9_000, 2_000, {"": 0, "hyna": 0}, [SENT]
    booked: set[tuple[str, int]] = set()
    risk.round(seen(main, hyna), [], moved, booked)
    risk.round(seen(main, hyna), transfers, moved, booked)
    for what in order:
        match what:
            case "out":
                main = 8_000
            case "in":
                hyna = 3_000
            case "known":
                transfers = [KNOWN]
            case _:  # the ledger counts what each DEX's frame holds already
                booked = {("", AT_MS), ("hyna", AT_MS)}
        if booked:
            moved = {"": main - 9_000, "hyna": hyna - 2_000}
        pnl = risk.round(seen(main, hyna), transfers, moved, booked)
        assert pnl == pytest.approx(0.0, abs=1e-6), what


def test_money_that_comes_or_goes_is_neither_gain_nor_loss() -> None:
    risk = Risk()
    risk.round(seen(9_000, 2_000), [], {"": 0, "hyna": 0}, set())
    assert risk.round(seen(4_000, 2_000), [], {"": -5_000, "hyna": 0}, set()) == 0
    assert risk.round(seen(7_000, 2_000), [], {"": -2_000, "hyna": 0}, set()) == 0


def test_what_moved_before_it_was_written_down_is_in_todays_equity() -> None:
    kept = Baseline(NOW_MS, 10_000.0, 10_000.0)
    again = shifted(kept, {"": Decimal(500)}, MARKS, ())
    assert again == Baseline(NOW_MS, 10_000.0, 10_000.0, {"": "500"})
    assert shifted(None, {"": Decimal(500)}, MARKS, ()) is None


def test_a_ledger_that_never_tells_is_not_waited_for_without_end() -> None:
    assert unsettled([KNOWN], (), AT_MS + PATIENCE_MS - 1) == {"", "hyna"}
    assert unsettled([KNOWN], (), AT_MS + PATIENCE_MS) == frozenset()


def test_without_an_earlier_sight_nothing_is_judged() -> None:
    assert held_still(seen(1, 1), {"hyna"}, {}) is None
