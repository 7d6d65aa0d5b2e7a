"""An order counts as open until it is known that it cannot fill any more."""

from decimal import Decimal

from agents.events import LiveOrder, OrderResult, OrderUpdate
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from fleet.gateway.core.orders import CLOSING_MAX_MS, EXPIRY_MARGIN_MS, Order, Orders, State, dex_of

NONCE = 100
EXPIRES_MS = 5_000
ONE = Decimal(1)


def sent(cloid: str = "0xa", *, reduce_only: bool = False, nonce: int = NONCE) -> Orders:
    orders = Orders()
    orders.sent([order(cloid, reduce_only=reduce_only, nonce=nonce)], EXPIRES_MS)
    return orders


def order(
    cloid: str, *, reduce_only: bool = False, nonce: int = NONCE, state: State = State.IN_FLIGHT
) -> Order:
    return Order(
        cloid=cloid, market="BTC", generation=1, side=Side.BID, px=Decimal(100), remaining_sz=ONE,
        reduce_only=reduce_only, state=state, touched_ms=0, nonce=nonce,
    )  # fmt: skip


def open_sz(orders: Orders) -> Decimal:
    return orders.exposure("BTC", Decimal(0)).open_bid_sz


def update(status: str, remaining: str = "1") -> OrderUpdate:
    return OrderUpdate(
        oid=Oid(7), cloid=Cloid("0xa"), side=Side.BID, px=Decimal(100),
        remaining_sz=Decimal(remaining), orig_sz=ONE, status=status, status_ms=0,
    )  # fmt: skip


def fill(sz: str) -> Fill:
    return Fill(
        coin=Coin("BTC"), side=Side.BID, px=Decimal(100), sz=Decimal(sz), time_ms=1, tid=Tid(1),
        oid=Oid(7), cloid=Cloid("0xa"), fee=Decimal(0), fee_token="USDC", crossed=False,
        start_position_sz=Decimal(0), closed_pnl=Decimal(0),
    )  # fmt: skip


def live() -> LiveOrder:
    return LiveOrder(
        oid=Oid(7), cloid=Cloid("0xa"), side=Side.BID, px=Decimal(100), remaining_sz=ONE,
        orig_sz=ONE, placed_ms=0,
    )  # fmt: skip


def test_a_reduce_only_order_may_take_the_position_to_nothing() -> None:
    """Its fill may have happened untold: what adds counts from there, not from here."""
    orders = sent(reduce_only=True)
    orders.sent([order("0xb", nonce=NONCE + 1)], EXPIRES_MS)
    assert orders.exposure("BTC", Decimal(-5)).side_sz(Side.BID) == -3
    assert orders.exposure("BTC", Decimal("-0.5")).side_sz(Side.BID) == 1
    assert orders.exposure("BTC", Decimal(2)).side_sz(Side.BID) == 3
    orders.drop("0xa")
    assert orders.exposure("BTC", Decimal(-5)).side_sz(Side.BID) == -4


def test_it_counts_from_the_moment_it_is_sent() -> None:
    orders = sent()
    assert open_sz(orders) == 1
    assert list(orders.unresolved) == [NONCE]


def test_reduce_only_orders_are_not_in_the_sums() -> None:
    assert open_sz(sent(reduce_only=True)) == 0


def test_refused_and_voided_are_gone_and_unanswered_is_not() -> None:
    refused, voided, unanswered = sent(), sent(), sent()
    refused.answered(NONCE, (OrderResult("refused", text="no"),), 1)
    assert voided.voided(NONCE)
    assert not voided.voided(NONCE)
    unanswered.unanswered(NONCE, 1)
    assert [open_sz(o) for o in (refused, voided, unanswered)] == [0, 0, 1]
    assert list(unanswered.unresolved) == [NONCE]


def test_a_late_answer_settles_an_unknown_order() -> None:
    orders = sent()
    orders.unanswered(NONCE, 1)
    orders.answered(NONCE, (OrderResult("resting", oid=Oid(7)),), 2)
    assert orders.by_cloid["0xa"].state is State.OPEN
    assert orders.unresolved == {}


def test_a_filled_order_counts_until_its_fills_are_booked() -> None:
    orders = sent()
    orders.updated(update("filled", "0"), 1)
    assert open_sz(orders) == 1
    orders.filled(fill("0.4"))
    assert open_sz(orders) == Decimal("0.6")
    orders.filled(fill("0.6"))
    assert open_sz(orders) == 0
    assert orders.by_cloid == {}


def test_a_cancelled_order_leaves_what_was_filled_before() -> None:
    orders = sent()
    orders.updated(update("canceled", "0.7"), 1)
    assert open_sz(orders) == Decimal("0.3")
    orders.filled(fill("0.3"))
    assert orders.by_cloid == {}


def test_fills_that_never_come_are_given_up() -> None:
    orders = sent()
    orders.updated(update("filled", "0"), 0)
    orders.sweep_closing(CLOSING_MAX_MS)
    assert open_sz(orders) == 1
    orders.sweep_closing(CLOSING_MAX_MS + 1)
    assert open_sz(orders) == 0


def test_a_cancels_answer_says_nothing_of_a_placement_in_flight() -> None:
    orders = sent()
    orders.cancelled("0xa", "Order was never placed, already canceled, or filled.", 1)
    assert orders.by_cloid["0xa"].state is State.IN_FLIGHT


def test_a_late_refusal_of_a_cancel_ends_no_order_that_came_to_rest_after_it() -> None:
    """Seed 18: it was believed, and five seconds later the order rested uncounted."""
    orders = sent()
    orders.by_cloid["0xa"].state = State.OPEN
    orders.unresolved.clear()
    orders.cancelled("0xa", "Order was never placed, already canceled, or filled.", 1)
    assert orders.by_cloid["0xa"].state is State.UNKNOWN
    orders.sweep_closing(CLOSING_MAX_MS + 2)
    assert open_sz(orders) == 1


def test_expiry_counts_by_the_venues_time_and_then_a_snapshot_tells() -> None:
    orders = sent()
    assert orders.expire(EXPIRES_MS + EXPIRY_MARGIN_MS, 6_000) == []
    assert orders.expire(EXPIRES_MS + EXPIRY_MARGIN_MS + 1, 6_000) == [NONCE]
    assert open_sz(orders) == 1
    orders.snapshot("", [], requested_ms=6_500, now_ms=6_600)
    assert open_sz(orders) == 1, "asked for too soon after the last word"
    orders.snapshot("", [], requested_ms=7_000, now_ms=7_100)
    assert not list(orders.resting())


def test_what_a_snapshot_lacks_counts_until_its_fills_had_time_to_come() -> None:
    """They fill, and the list without them is faster than the fills: neither order nor position."""
    orders = sent()
    orders.answered(NONCE, (OrderResult("resting", oid=Oid(7)),), 1)
    orders.snapshot("", [], requested_ms=60_000, now_ms=60_100)
    assert not list(orders.resting())
    assert open_sz(orders) == 1
    orders.snapshot("", [], requested_ms=62_000, now_ms=62_100)
    assert open_sz(orders) == 1
    orders.filled(fill("0.4"))
    assert open_sz(orders) == Decimal("0.6")
    orders.sweep_closing(60_100 + CLOSING_MAX_MS + 1)
    assert open_sz(orders) == 0


def test_a_snapshot_cannot_prune_what_may_still_arrive() -> None:
    orders = sent()
    orders.snapshot("", [], requested_ms=60_000, now_ms=60_100)
    assert open_sz(orders) == 1


def test_a_snapshot_adopts_and_confirms() -> None:
    found = order("0xa", nonce=0, state=State.OPEN)
    fresh = Orders()
    fresh.snapshot("", [(found, live())], requested_ms=0, now_ms=10)
    assert open_sz(fresh) == 1
    orders = sent()
    orders.processed(NONCE, 1)
    assert orders.by_cloid["0xa"].state is State.UNKNOWN
    orders.snapshot("", [(found, live())], requested_ms=0, now_ms=10)
    assert open_sz(orders) == 1
    assert [o.state for o in orders.resting()] == [State.OPEN]
    assert open_sz(orders) == 1


def test_another_dexs_snapshot_says_nothing() -> None:
    orders = sent()
    orders.answered(NONCE, (OrderResult("resting", oid=Oid(7)),), 1)
    orders.snapshot("hyna", [], requested_ms=60_000, now_ms=60_100)
    assert list(orders.resting())
    orders.snapshot("", [], requested_ms=60_000, now_ms=60_100)
    assert not list(orders.resting())


def test_a_status_asked_for_settles_the_unknown() -> None:
    gone, resting = sent(), sent()
    for orders in (gone, resting):
        orders.status("0xa", None, 1)
        assert open_sz(orders) == 1, "it may still arrive"
        orders.processed(NONCE, 1)
    gone.status("0xa", None, 2)
    resting.status("0xa", "open", 2)
    assert open_sz(gone) == 0
    assert resting.by_cloid["0xa"].state is State.OPEN


def test_a_markets_name_says_its_dex() -> None:
    assert dex_of("BTC") == ""
    assert dex_of("hyna:BTC") == "hyna"
