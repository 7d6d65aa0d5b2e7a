"""The allowance of requests: orders end first, cancels later, then one each ten seconds."""

from decimal import Decimal

from agents.sim.exchange import Exchange
from agents.sim.rules import Rules
from agents.sim.universe import default_universe
from tests.unit.agents.sim.desk import ALICE, BTC, Desk, order

CANCEL = {"type": "cancel", "cancels": [{"a": BTC, "o": 5}]}


def test_a_used_up_address_may_cancel_and_trickle() -> None:
    desk = Desk()
    desk.exchange = Exchange(default_universe(), rules=Rules(requests_free=3))
    desk.exchange.fund(ALICE, Decimal(1_000))
    bid = {"type": "order", "orders": [order(BTC, "B", "83000", "0.001")] * 3, "grouping": "na"}
    assert desk.act(ALICE, bid)["status"] == "ok"
    bid["orders"] = [order(BTC, "B", "83000", "0.001")]
    assert desk.act(ALICE, bid)["status"] == "ok"  # the one of these ten seconds
    assert desk.act(ALICE, bid) == {
        "status": "err",
        "response": "Too many cumulative requests sent (4 > 3) for cumulative volume traded "
        "$0.00. Place taker orders to free up 1 request per USDC traded.",
    }
    assert [desk.act(ALICE, CANCEL)["status"] for _ in range(3)] == ["ok", "ok", "err"]
    desk.now_ms += 10_000
    assert desk.act(ALICE, bid)["status"] == "ok"
    limit = desk.ask("userRateLimit", user=ALICE)
    assert (limit["nRequestsUsed"], limit["nRequestsCap"]) == (7, 3)
