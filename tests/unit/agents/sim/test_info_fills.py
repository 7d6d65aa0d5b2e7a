"""Fills as asked for: pages by time, and what one crossing order got merged into one row."""

from agents.market.types import Side
from tests.unit.agents.sim.desk import ALICE, BOB, SOL, START_MS, Desk, order


def swept() -> Desk:
    desk = Desk()
    desk.flow("SOL", Side.ASK, "119", "1")
    desk.flow("SOL", Side.ASK, "119.5", "3")
    desk.place(BOB, order(SOL, "A", "120", "2"))
    desk.place(ALICE, order(SOL, "B", "120", "6", tif="Ioc"))
    desk.flow("SOL", Side.BID, "120", "1")
    return desk


def test_a_crossing_order_is_one_row_when_aggregated() -> None:
    desk = swept()
    each = desk.ask("userFills", user=ALICE)
    assert [(row["px"], row["sz"]) for row in each] == [
        ("120.0", "2.0"), ("119.5", "3.0"), ("119.0", "1.0"),
    ]  # fmt: skip
    (row,) = desk.ask("userFills", user=ALICE, aggregateByTime=True)
    assert (row["px"], row["sz"], row["startPosition"]) == ("119.583333333333", "6.0", "0.0")
    assert float(row["fee"]) == round(sum(float(one["fee"]) for one in each), 6)
    assert {**each[-1], "px": 0, "sz": 0, "fee": 0} == {**row, "px": 0, "sz": 0, "fee": 0}
    (by_time,) = desk.ask("userFillsByTime", user=ALICE, startTime=START_MS, aggregateByTime=True)
    assert by_time == row


def test_a_resting_orders_fills_stay_apart() -> None:
    desk = Desk()
    desk.place(BOB, order(SOL, "A", "120", "2"))
    for _ in range(2):
        desk.flow("SOL", Side.BID, "120", "1", tif="Ioc")
    desk.block()
    assert len(desk.ask("userFills", user=BOB, aggregateByTime=True)) == 2


def test_pages_of_two_thousand_go_on_from_the_last_time() -> None:
    desk = Desk()
    for _ in range(30):
        desk.place(BOB, *(order(SOL, "A", "120", "0.1") for _ in range(70)))
        desk.place(ALICE, order(SOL, "B", "120", "7", tif="Ioc"))
    every = desk.ask("userFillsByTime", user=ALICE, startTime=0)
    assert len(every) == 2_000
    last_ms = every[-1]["time"]
    rest = desk.ask("userFillsByTime", user=ALICE, startTime=last_ms)
    oids = {(row["time"], row["tid"]) for row in every + rest}
    assert len(oids) == 2_100
    newest = desk.ask("userFillsByTime", user=ALICE, startTime=0, reversed=True)
    assert newest == desk.ask("userFills", user=ALICE)
    assert [row["time"] for row in newest] == sorted((r["time"] for r in newest), reverse=True)
