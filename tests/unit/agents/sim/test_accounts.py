"""What an account remembers of its orders, and for how long."""

from decimal import Decimal

from agents.market.types import Coin, Side
from agents.sim.accounts import ORDERS_KEPT, Account, OrderRecord
from tests.unit.agents.sim.desk import ALICE, cloid, make_resting


def record(oid: int, client_id: str | None = None) -> OrderRecord:
    order = make_resting(oid, Side.BID, "1", "1")
    order.cloid = client_id
    return OrderRecord(Coin("BTC"), order, "Gtc", "open", 0, Decimal(1))


def test_old_dead_orders_are_forgotten_and_live_ones_never() -> None:
    account = Account(ALICE)
    live = record(1, cloid(1))
    account.open[1] = live
    for oid in range(1, ORDERS_KEPT + 3):
        account.remember(live if oid == 1 else record(oid, cloid(oid)))
    assert len(account.known) == ORDERS_KEPT
    assert 1 in account.known
    assert 2 not in account.known
    assert cloid(2) not in account.known_cloids
    assert account.known_cloids[cloid(4)] == 4


def test_a_cloid_names_its_live_order_whatever_is_refused_meanwhile() -> None:
    account = Account(ALICE)
    account.remember(record(1, cloid(9)))
    account.live_cloids[cloid(9)] = 1
    account.remember(record(2, cloid(9)))
    assert account.known_cloids[cloid(9)] == 1


def test_history_keeps_each_change() -> None:
    account = Account(ALICE)
    changed = record(1)
    account.advance(changed, "open", 1, Decimal(1))
    account.advance(changed, "canceled", 2, Decimal("0.5"))
    assert [(e.status, e.status_ms, e.sz) for e in account.history] == [
        ("open", 1, Decimal(1)), ("canceled", 2, Decimal("0.5")),
    ]  # fmt: skip
    assert changed.status == "canceled"
