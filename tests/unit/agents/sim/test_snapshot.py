"""State out and in again: nothing of money, orders or ids is lost."""

import json
from typing import Any

import pytest

from agents.market.types import Side
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, CRCL, SOL, START_MS, Desk, cloid, order


def busy() -> Desk:
    desk = Desk()
    desk.flow("BTC", Side.ASK, "84000", "0.1")
    desk.flow("xyz:CRCL", Side.ASK, "86.4", "10")
    desk.place(ALICE, order(BTC, "B", "84000", "0.1", tif="Ioc"))
    desk.place(ALICE, order(CRCL, "B", "86.4", "10", tif="Ioc"))
    desk.place(
        ALICE, order(BTC, "A", "84100", "0.05", reduce_only=True), order(SOL, "B", "118", "2"),
        order(SOL, "A", "121", "1", cloid=cloid(3)),
    )  # fmt: skip
    desk.place(BOB, order(SOL, "A", "121", "4"))
    desk.place(BOB, order(SOL, "A", "118", "0.5", tif="Gtc"))
    return desk


def reopened(desk: Desk) -> Desk:
    state: dict[str, Any] = json.loads(json.dumps(desk.exchange.snapshot()))
    desk.exchange = Exchange(default_universe())
    desk.exchange.restore(state)
    return desk


def test_everything_asked_is_answered_alike_after_a_restart() -> None:
    desk = busy()

    def answers() -> list[Any]:
        return [
            desk.ask(kind, user=who, dex=dex)
            for kind in (
                "clearinghouseState",
                "frontendOpenOrders",
                "userFills",
                "userRateLimit",
                "historicalOrders",
            )
            for who in (ALICE, BOB)
            for dex in ("", "xyz")
        ]

    desk.place(BOB, order(SOL, "B", "119", "0.01"))
    desk.place(BOB, order(SOL, "B", "117", "2", cloid=cloid(9)))
    desk.act(BOB, {"type": "cancelByCloid", "cancels": [{"asset": SOL, "cloid": cloid(9)}]})
    before, state = answers(), desk.exchange.snapshot()
    reopened(desk)
    assert answers() == before
    assert desk.exchange.snapshot() == state


def test_dead_orders_are_found_by_id_and_client_id_after_two_restarts() -> None:
    desk = busy()
    oid = desk.place(BOB, order(SOL, "B", "117", "2", cloid=cloid(9)))[0]["resting"]["oid"]
    desk.act(BOB, {"type": "cancel", "cancels": [{"a": SOL, "o": oid}]})
    before = desk.ask("orderStatus", user=BOB, oid=oid)
    assert before["order"]["status"] == "canceled"
    reopened(reopened(desk))
    assert desk.ask("orderStatus", user=BOB, oid=oid) == before
    assert desk.ask("orderStatus", user=BOB, oid=cloid(9)) == before
    desk.place(BOB, order(SOL, "B", "116", "2", cloid=cloid(9)))
    assert desk.ask("orderStatus", user=BOB, oid=cloid(9))["order"]["status"] == "open"


def test_orders_keep_priority_cloids_and_limits_after_a_restart() -> None:
    desk = reopened(busy())
    desk.flow("SOL", Side.BID, "121", "1.5", tif="Ioc")
    desk.block()
    assert [fill["sz"] for fill in desk.fills(ALICE)] == ["1.0"]
    assert [fill["sz"] for fill in desk.fills(BOB)] == ["0.5"]
    desk.flow("BTC", Side.BID, "84100", "1")
    desk.block()
    assert [fill["sz"] for fill in desk.fills(ALICE)] == ["0.05"]
    assert desk.szi(ALICE, "BTC") == "0.05"
    placed = desk.place(ALICE, order(SOL, "B", "117", "1"))[0]["resting"]["oid"]
    assert placed > max(row["oid"] for row in desk.ask("userFills", user=ALICE))


def test_nonces_stay_used_after_a_restart() -> None:
    desk = reopened(busy())
    answer = desk.act(ALICE, {"type": "noop"}, nonce=START_MS + 1)
    assert answer["response"].startswith("Invalid nonce: duplicate nonce")


@pytest.mark.parametrize("state", [{}, {"last_oid": "x"}])
def test_another_shape_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a snapshot"):
        Exchange(default_universe()).restore(state)


def test_unlisted_coins_are_named() -> None:
    state: dict[str, Any] = Desk().exchange.snapshot()
    state["tallies"]["GONE"] = state["tallies"]["BTC"]
    with pytest.raises(ValueError, match="not listed: GONE"):
        Exchange(default_universe()).restore(state)
