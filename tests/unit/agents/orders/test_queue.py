"""The place in the queue: behind what was there, eaten by prints, thinned by cancels."""

from decimal import Decimal

import pytest

from agents.events import Book
from agents.market.types import Cloid, Coin, Level, Side, Trade
from agents.orders.lifecycle import State
from agents.orders.queue import Queues
from agents.orders.tracked import TrackedOrder

BTC = Coin("BTC")
CLOID = Cloid("0x" + "a" * 32)


def _order(px: float = 99.0, state: State = State.OPEN) -> TrackedOrder:
    return TrackedOrder(
        cloid=CLOID, side=Side.BID, px=Decimal(str(px)), sz=Decimal(1), near_px=px, sent_ns=0,
        state=state, acked_ns=1,
    )  # fmt: skip


def _book(sz: float, *, at: float = 99.0) -> Book:
    bids = (Level(100.0, 2.0), Level(at, sz), Level(98.0, 7.0))
    return Book(BTC, 0, (bids, (Level(101.0, 3.0),)))


def _print(px: float, sz: float, time_ms: int, side: Side = Side.ASK) -> Trade:
    return Trade(BTC, side, px, sz, time_ms)


def _joined(shown_sz: float = 8.0) -> Queues:
    queues = Queues()
    queues.on_book(_book(shown_sz), ())
    queues.join(CLOID, Side.BID, 99.0)
    assert queues.ahead_sz(CLOID) == shown_sz
    return queues


def test_what_is_displayed_between_levels_and_beyond_the_book() -> None:
    queues = _joined()
    assert queues.shown_sz(Side.BID, 100.5) == 0.0
    assert queues.shown_sz(Side.BID, 99.5) == 0.0
    assert queues.shown_sz(Side.BID, 97.0) is None
    assert queues.shown_sz(Side.ASK, 101.0) == 3.0
    assert queues.shown_sz(Side.ASK, 102.0) is None


def test_an_order_beyond_the_book_has_no_known_place() -> None:
    queues = Queues()
    queues.on_book(_book(8.0), ())
    queues.join(CLOID, Side.BID, 90.0)
    assert queues.ahead_sz(CLOID) is None


def test_prints_at_the_price_eat_the_front_and_one_through_it_all() -> None:
    queues = _joined()
    queues.on_trades([_print(99.0, 3.0, 10), _print(99.0, 1.0, 10)], [_order()])
    assert queues.ahead_sz(CLOID) == 4.0
    queues.on_trades([_print(100.0, 50.0, 20), _print(101.0, 9.0, 20, Side.BID)], [_order()])
    assert queues.ahead_sz(CLOID) == 4.0
    queues.on_trades([_print(98.0, 0.1, 30)], [_order()])
    assert queues.ahead_sz(CLOID) == 0.0


def test_prints_before_it_rested_and_replayed_ones_eat_nothing() -> None:
    queues = _joined()
    queues.on_trades([_print(99.0, 1.0, 20)], [_order()])
    queues.on_trades([_print(99.0, 1.0, 20)], [_order()])  # the replay after a subscribe
    assert queues.ahead_sz(CLOID) == 7.0
    sent = _order()
    sent.acked_ns = None
    queues.on_trades([_print(99.0, 1.0, 30)], [sent])
    assert queues.ahead_sz(CLOID) == 7.0


def test_cancels_thin_out_before_and_behind_alike() -> None:
    queues = _joined()
    queues.on_book(_book(8.0 + 1.0 + 8.0), [_order()])  # ours, and 8 that came after it
    assert queues.ahead_sz(CLOID) == 8.0
    queues.on_book(_book(8.0 + 1.0), [_order()])
    assert queues.ahead_sz(CLOID) == 4.0
    queues.on_book(_book(0.5), [_order()])
    assert queues.ahead_sz(CLOID) == 0.0


def test_a_book_that_does_not_reach_it_and_a_doubt_leave_the_estimate() -> None:
    queues = _joined()
    far = Book(BTC, 0, ((Level(100.0, 2.0),), ()))
    queues.on_book(far, [_order()])
    assert queues.ahead_sz(CLOID) == 8.0
    queues.on_book(_book(2.0), [_order(state=State.UNKNOWN)])
    assert queues.ahead_sz(CLOID) == 8.0


def test_orders_that_ended_are_forgotten() -> None:
    queues = _joined()
    queues.on_book(_book(8.0), ())
    assert queues.ahead_sz(CLOID) is None


@pytest.mark.parametrize(
    ("ahead_sz", "joins_sz", "off_bps", "moves"),
    [
        (8.0, 8.0, 1.0, True),  # alike in both queues: nearer earns more
        (0.0, 8.0, 1.0, False),  # first in the queue, last in the other
        (0.0, 0.0, 1.0, True),  # first in either
        (0.0, 8.0, 30.0, True),  # so far off that no place is worth it
        (8.0, 0.0, 0.1, True),
    ],
)
def test_a_place_is_kept_while_it_is_worth_more_than_the_move(
    ahead_sz: float, joins_sz: float, off_bps: float, moves: bool
) -> None:
    queues = Queues()
    queues.on_trades([_print(99.0, 2.0, 10)], ())
    queues.on_book(_book(ahead_sz), ())
    queues.join(CLOID, Side.BID, 99.0)
    queues.on_book(
        Book(BTC, 0, ((Level(99.5, joins_sz), Level(99.0, ahead_sz + 1.0)), ())), [_order()]
    )
    told = queues.worth_moving(_order(), px=99.5, off_bps=off_bps, kappa_per_bps=0.5)
    assert told is moves


def test_without_a_known_place_or_print_it_moves() -> None:
    queues = _joined(0.0)
    assert queues.worth_moving(_order(), px=99.0, off_bps=0.0, kappa_per_bps=0.5)
    queues.on_trades([_print(90.0, 2.0, 10)], ())
    assert not queues.worth_moving(_order(), px=99.0, off_bps=0.0, kappa_per_bps=0.5)
    assert queues.worth_moving(_order(), px=90.0, off_bps=0.0, kappa_per_bps=0.5)
