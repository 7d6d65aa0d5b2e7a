"""The makers to beat: where they stand, that they follow, and that they keep their limit."""

from decimal import Decimal

import pytest

from agents.commands import Cancel, Command, Place
from agents.events import Bbo, Fills, Trades
from agents.market.instrument import Instrument
from agents.market.types import Cloid, Coin, Fill, Level, Oid, Side, Tid, Trade
from fleet.backtest.makers import AncestorRule, FixedRule, SimpleMaker

SOL = Coin("SOL")
INSTRUMENT = Instrument(coin=SOL, asset_id=5, sz_decimals=2, leverage_max=20)
S = 1_000_000_000


def _bbo(mid: float) -> Bbo:
    return Bbo(coin=SOL, venue_ms=1, bbo=(Level(mid - 0.01, 5.0), Level(mid + 0.01, 5.0)))


def _fixed() -> SimpleMaker:
    return SimpleMaker(FixedRule(2.0), instrument=INSTRUMENT, clip_usd=500.0, limit_usd=1_000.0)


def _placed(commands: list[Command]) -> dict[Side, tuple[float, float]]:
    orders = [order for each in commands if isinstance(each, Place) for order in each.orders]
    return {order.side: (float(order.px), float(order.sz)) for order in orders}


def _fill(cloid: Cloid, side: Side) -> Fills:
    fill = Fill(
        coin=SOL, side=side, px=Decimal("199.96"), sz=Decimal("2.5"), time_ms=1, tid=Tid(1),
        oid=Oid(1), cloid=cloid, fee=Decimal(0), fee_token="USDC", crossed=False,
        start_position_sz=Decimal(0), closed_pnl=Decimal(0),
    )  # fmt: skip
    return Fills(fills=(fill,))


def test_it_stands_two_bps_off_and_stays_while_little_moves() -> None:
    maker = _fixed()
    placed = _placed(maker.handle(_bbo(200.0), S))
    assert placed == {Side.BID: (199.96, 2.5), Side.ASK: (200.04, 2.5)}
    assert maker.handle(_bbo(200.005), 2 * S) == []


def test_it_follows_the_mid_by_cancel_and_placement() -> None:
    maker = _fixed()
    maker.handle(_bbo(200.0), S)
    moved = maker.handle(_bbo(200.2), 2 * S)
    assert sum(isinstance(each, Cancel) for each in moved) == 2
    assert _placed(moved)[Side.BID][0] == pytest.approx(200.15)


def test_it_holds_no_more_than_its_limit() -> None:
    maker = _fixed()
    for at in range(1, 4):
        placed = maker.handle(_bbo(200.0), at * S)
        for each in placed:
            if isinstance(each, Place) and each.orders[0].side is Side.BID:
                maker.handle(_fill(each.orders[0].cloid, Side.BID), at * S)
    assert Side.BID not in _placed(maker.handle(_bbo(200.0), 9 * S))


def test_the_ancestors_skew_is_next_to_nothing() -> None:
    """Incident 27: gamma without unit against sigma squared."""
    rule = AncestorRule(floor_bps=0.1, maker_fee_bps=1.5)
    assert rule.distances_bps(0.0) is None
    rule.seen(_bbo(200.0), S)
    for number in range(20):
        print_ = Trade(coin=SOL, side=Side.BID, px=200.02, sz=1.0, time_ms=1, tid=Tid(number))
        rule.seen(Trades(trades=(print_,)), (2 + number) * S)
    flat, full = rule.distances_bps(0.0), rule.distances_bps(1.0)
    assert flat is not None
    assert full is not None
    assert flat[0] > 1.5
    assert abs(full[0] - flat[0]) < 0.05
