"""Cash, entries and margins of one address on one DEX."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from agents.sim.clearing import Clearing, Leverage
from agents.sim.universe import default_universe

UNIVERSE = default_universe()
SOL = UNIVERSE.listings[Coin("SOL")]
COIN = SOL.coin


def clearing(*, isolated: bool = False, leverage: int = 10) -> Clearing:
    fresh = Clearing()
    fresh.raw_usd = Decimal(1000)
    fresh.leverages[COIN] = Leverage(leverage, isolated)
    return fresh


def fill(target: Clearing, side: Side, px: str, sz: str) -> tuple[str, str]:
    effect = target.fill(SOL, side, Decimal(px), Decimal(sz))
    return effect.direction, str(effect.closed_pnl_usd)


def test_entry_is_averaged_kept_on_reduce_and_reset_on_flip() -> None:
    target = clearing()
    assert fill(target, Side.BID, "100", "1")[0] == "Open Long"
    assert fill(target, Side.BID, "110", "3")[0] == "Open Long"
    assert target.positions[COIN].entry_px == Decimal("107.5")
    assert fill(target, Side.ASK, "109.5", "1") == ("Close Long", "2.000000")
    assert target.positions[COIN].entry_px == Decimal("107.5")
    assert fill(target, Side.ASK, "106.5", "5") == ("Long > Short", "-3.000000")
    assert target.positions[COIN].szi == -2
    assert target.positions[COIN].entry_px == Decimal("106.5")
    assert fill(target, Side.BID, "100", "2") == ("Close Short", "13.000000")
    assert not target.positions
    assert fill(target, Side.ASK, "100", "1")[0] == "Open Short"
    assert fill(target, Side.BID, "100", "2")[0] == "Short > Long"


def test_cross_cash_moves_by_the_fill_alone() -> None:
    target = clearing()
    fill(target, Side.BID, "100", "2")
    assert target.raw_usd == 800
    fill(target, Side.ASK, "105", "2")
    assert target.raw_usd == 1010


def test_isolated_margin_moves_in_at_the_fill_and_back_pro_rata() -> None:
    target = clearing(isolated=True)
    fill(target, Side.BID, "100", "3")
    assert target.raw_usd == 970
    assert target.positions[COIN].raw_usd == -270
    fill(target, Side.ASK, "110", "1")  # equity at 110 is 60, a third of it comes back
    assert target.raw_usd == 990
    assert target.positions[COIN].raw_usd == -180
    fill(target, Side.ASK, "110", "2")
    assert target.raw_usd == 1030
    assert not target.positions


@pytest.mark.parametrize("isolated", [False, True])
def test_money_is_conserved_through_any_round_trip(*, isolated: bool) -> None:
    target = clearing(isolated=isolated, leverage=7)
    for side, px, sz in [
        (Side.BID, "101.37", "1.33"), (Side.BID, "99.11", "0.77"), (Side.ASK, "100.3", "3.01"),
        (Side.BID, "97.77", "0.5"), (Side.BID, "98.1", "0.41"),
    ]:  # fmt: skip
        fill(target, side, px, sz)
    assert not target.positions
    paid = Decimal("1.33") * Decimal("101.37") + Decimal("0.77") * Decimal("99.11")
    paid += Decimal("0.5") * Decimal("97.77") + Decimal("0.41") * Decimal("98.1")
    assert target.raw_usd == 1000 - paid + Decimal("3.01") * Decimal("100.3")


def test_margin_counts_the_worse_side() -> None:
    target = clearing()
    fill(target, Side.BID, "100", "2")
    hold = target.hold(COIN)
    hold.add(Side.BID, Decimal(100))
    hold.add(Side.ASK, Decimal(250))

    def bound() -> Decimal:
        return target.bound_usd(lambda _coin: Decimal(100), UNIVERSE.listings.__getitem__)

    assert bound() == 30  # long 200 + 100 against short 250 - 200
    hold.add(Side.ASK, Decimal(300))
    assert bound() == 35
    target.leverages[COIN] = Leverage(10, isolated=True)
    assert bound() == 15  # what its orders add to the position's own margin


def test_default_leverage() -> None:
    assert Clearing().leverage(SOL) == Leverage(20, isolated=False)
    strict = UNIVERSE.listings[Coin("xyz:CRCL")]
    assert Clearing().leverage(strict) == Leverage(10, isolated=True)
