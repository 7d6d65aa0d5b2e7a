"""A desk: orders take their time both ways and fill by the tape."""

from decimal import Decimal
from pathlib import Path

import pytest

from agents.commands import Cancel, Command, NewOrder, Place
from agents.events import CancelAnswered, Event, Fills, PlaceAnswered, Tick
from agents.market.types import Cloid, Coin, Side
from fleet.backtest.desk import Desk, Terms
from fleet.backtest.run import START_NS, read
from tests.unit.fleet.backtest.tapes import quiet, trade, write

D = Decimal
ORDER = NewOrder(cloid=Cloid("0x01"), side=Side.BID, px=D("199.90"), sz=D(1))


class Script:
    """Does what it is told when it is told to, and keeps what it hears."""

    def __init__(self, *plan: tuple[float, Command]) -> None:
        self.plan = list(plan)
        self.heard: list[tuple[float, Event]] = []

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        at_s = (now_ns - START_NS) / 1e9
        if not isinstance(event, Tick):
            self.heard.append((at_s, event))
            return []
        due = [command for when, command in self.plan if when <= at_s]
        self.plan = [(when, command) for when, command in self.plan if when > at_s]
        return due

    def of(self, kind: type[Event]) -> list[float]:
        return [round(at_s, 2) for at_s, event in self.heard if isinstance(event, kind)]


def _desk(tmp_path: Path, script: Script, *prints: dict[str, object]) -> Desk:
    lines = sorted([*quiet(20), *prints], key=lambda line: int(str(line["t"])))
    frames, _ = read(write(tmp_path / "made.jsonl.zst", lines))
    desk = Desk(Coin("SOL"), script, Terms(), frames)
    desk.run()
    return desk


def test_an_order_rests_late_and_its_answer_is_later(tmp_path: Path) -> None:
    script = Script((2.0, Place(1, (ORDER,))))
    _desk(tmp_path, script)
    assert script.of(PlaceAnswered) == [2.5]


def test_a_print_through_it_fills_it_for_cash_and_fee(tmp_path: Path) -> None:
    script = Script((2.0, Place(1, (ORDER,))))
    prints = (trade(1.0, "B", 200.0, 1, 1), trade(4.0, "A", 199.80, 3, 2))
    desk = _desk(tmp_path, script, *prints)
    assert [(fill.sign, fill.px, fill.sz) for fill in desk.fills] == [(1, 199.9, 1.0)]
    assert desk.position_sz == 1
    assert desk.cash_usd == pytest.approx(-199.9 * (1 + 1.5e-4))
    assert script.of(Fills) == [4.25]


def test_a_print_before_it_arrived_fills_nothing(tmp_path: Path) -> None:
    script = Script((2.0, Place(1, (ORDER,))))
    prints = (trade(1.0, "B", 200.0, 1, 1), trade(2.2, "A", 199.80, 3, 2))
    assert _desk(tmp_path, script, *prints).fills == []


def test_a_cancel_that_comes_too_late_says_so(tmp_path: Path) -> None:
    script = Script((2.0, Place(1, (ORDER,))), (3.9, Cancel(2, (ORDER.cloid,))))
    prints = (trade(1.0, "B", 200.0, 1, 1), trade(4.0, "A", 199.80, 3, 2))
    desk = _desk(tmp_path, script, *prints)
    assert len(desk.fills) == 1
    (answer,) = [event for _, event in script.heard if isinstance(event, CancelAnswered)]
    assert answer.errors[0] is not None


def test_what_would_take_is_refused(tmp_path: Path) -> None:
    crossing = NewOrder(cloid=Cloid("0x02"), side=Side.BID, px=D("200.05"), sz=D(1))
    script = Script((2.0, Place(1, (crossing,))))
    desk = _desk(tmp_path, script)
    assert desk.refused == 1
    assert desk.position_sz == 0


def test_marks_stop_where_the_recording_is_dark(tmp_path: Path) -> None:
    lines = [*quiet(5), *quiet(40)[60:]]  # seconds 5 to 30 are missing
    frames, coins = read(write(tmp_path / "made.jsonl.zst", lines))
    desk = Desk(Coin("SOL"), Script(), Terms(), frames)
    desk.run()
    assert coins == ["SOL"]
    assert 12 <= len(desk.marks) <= 17
