"""Frames to events: only this market's, and every kind of control frame."""

from decimal import Decimal

import pytest

from agents.events import (
    Bbo,
    Book,
    DirectiveReceived,
    DrainRequested,
    Event,
    FenceChanged,
    Fills,
    LimitsChanged,
    LinkChanged,
    OrderUpdate,
    PauseChanged,
    PositionSeen,
    Trades,
)
from agents.exchange.codec import Pong, UserFills, UserOrderUpdates
from agents.exchange.downstream import (
    DirectiveFrame,
    DrainFrame,
    FenceFrame,
    GatewayFrame,
    LimitsFrame,
    LinkFrame,
    PauseFrame,
    PositionsFrame,
    Refusal,
)
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid, Trade
from agents.runtime.inbound import event_of_gateway, events_of

BTC, ETH = Coin("BTC"), Coin("ETH")


def fill(coin: Coin, tid: int) -> Fill:
    return Fill(
        coin, Side.BID, Decimal(100), Decimal(1), 1, Tid(tid), Oid(1), Cloid("0x" + "01" * 16),
        Decimal(0), "USDC", crossed=False, start_position_sz=Decimal(0), closed_pnl=Decimal(0),
    )  # fmt: skip


def update(oid: int) -> OrderUpdate:
    one = Decimal(1)
    return OrderUpdate(Oid(oid), None, Side.BID, Decimal(100), one, one, "open", 1)


def test_market_data_of_another_market_is_nothing() -> None:
    assert events_of(Book(BTC, 1), BTC) == (Book(BTC, 1),)
    assert events_of(Bbo(ETH, 1), BTC) == ()
    trades = Trades((Trade(ETH, Side.BID, 1.0, 1.0, 1),))
    assert events_of(trades, ETH) == (trades,)
    assert events_of(trades, BTC) == ()
    assert events_of(Pong(), BTC) == ()


def test_rows_of_orders_are_taken_one_by_one() -> None:
    frame = UserOrderUpdates(((BTC, update(1)), (ETH, update(2)), (BTC, update(3))))
    assert events_of(frame, BTC) == (update(1), update(3))


def test_fills_keep_their_snapshot_mark_even_when_empty() -> None:
    frame = UserFills(False, None, (fill(BTC, 1), fill(ETH, 2)))
    assert events_of(frame, BTC) == (Fills((fill(BTC, 1),)),)
    assert events_of(UserFills(False, None, (fill(ETH, 2),)), BTC) == ()
    assert events_of(UserFills(True, None, ()), BTC) == (Fills((), is_snapshot=True),)


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        (LinkFrame(1, "gap", 5, 2.0), LinkChanged("gap", 5, 2.0)),
        (FenceFrame(True, "halt"), FenceChanged(True, "halt")),
        (LimitsFrame(9.0), LimitsChanged(9.0)),
        (DirectiveFrame(3, 4, "halt", "loss"), DirectiveReceived(3, 4, "halt", "loss")),
        (PauseFrame(True), PauseChanged(True)),
        (DrainFrame(7), DrainRequested(7)),
        (PositionsFrame(5, {"BTC": Decimal(2)}), PositionSeen(5, Decimal(2), None)),
        (PositionsFrame(5, {"ETH": Decimal(2)}), PositionSeen(5, Decimal(0), None)),
        (Refusal(1, "fenced", ""), None),
    ],
)
def test_control_frames(frame: GatewayFrame, event: Event | None) -> None:
    assert event_of_gateway(frame, BTC) == event
