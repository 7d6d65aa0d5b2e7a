"""Collateral reaches where it is needed, once, whatever dies on the way."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from agents.telemetry.logs import open_log
from fleet.gateway.api import GatewayStatus
from fleet.manifests.spec import DexSpec
from fleet.supervisor.store import Store
from fleet.supervisor.transfers import GONE_MS, Transfer, read_transfers
from fleet.supervisor.treasury import Treasury, Wanted
from tests.unit.fleet.supervisor.world import World
from tests.unit.fleet.views import spec, status

T = TypeVar("T")
NEEDS = Wanted({"": 5_000.0, "hyna": 2_000.0}, frozenset({"hyna"}))


class Killed(BaseException):
    """kill -9: nothing after it runs."""


class Rig:
    """A treasury that can be killed before or after any of its calls, and begins anew."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.db"
        self.log = open_log(folder / "log.jsonl")
        self.world = World()
        self.bank = self.world.bank
        self.bank.dexes |= {"": Decimal(9_000), "hyna": Decimal(500)}
        self.bank.spot = {"USDE": Decimal(4_000)}
        self.bank.show()
        self.calls = 0
        self.kill_at: tuple[int, str] | None = None
        self.begin()

    def begin(self) -> None:
        self.store = Store(self.path)
        self.treasury = Treasury(self.store.db, self.world, self.log)

    def status(self) -> GatewayStatus:
        return status(dexes=self.bank.views(), as_of_ms=self.bank.now_ms)

    async def call(self, ask: Callable[[], T], /) -> T:
        self.calls += 1
        if self.kill_at == (self.calls, "before"):
            raise Killed
        answer = ask()
        if self.kill_at == (self.calls, "after"):
            raise Killed
        return answer

    def turns(self, count: int, wanted: Wanted = NEEDS, step_ms: int = 1_100) -> None:
        for _ in range(count):
            try:
                asyncio.run(self.treasury.turn(self.status(), wanted, self.call))
            except Killed:
                self.kill_at = None
                self.store.close()
                self.begin()
            self.bank.now_ms += step_ms
            self.bank.show()

    def all(self) -> list[Transfer]:
        return self.treasury.book.all()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_what_is_missing_comes_from_spot_and_is_waited_for(rig: Rig) -> None:
    assert "hyna" in rig.treasury.short(rig.status(), NEEDS)
    rig.turns(1)
    assert "under way" in rig.treasury.short(rig.status(), NEEDS)["hyna"]
    rig.turns(4)
    assert rig.bank.dexes["hyna"] == 2_000
    assert rig.bank.spot["USDE"] == 2_500
    assert [t.state for t in rig.all()] == ["shown"]
    assert not rig.treasury.short(rig.status(), NEEDS)
    assert [t.state for t in read_transfers(rig.path)] == ["shown"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 7))
def test_a_kill_at_any_call_moves_nothing_twice(rig: Rig, call: int, moment: str) -> None:
    rig.kill_at = (call, moment)
    rig.turns(3)
    for _ in range(4):
        rig.turns(6, step_ms=GONE_MS // 4)
    assert rig.kill_at is None, "it was killed"
    assert rig.bank.dexes["hyna"] == 2_000
    assert rig.bank.spot["USDE"] == 2_500
    assert len(rig.bank.listed) == 1
    assert [t.state for t in rig.all() if t.state != "void"] == ["shown"]


@pytest.mark.parametrize(("lost", "states"), [("after", ["shown"]), ("before", ["void", "shown"])])
def test_a_lost_answer_is_asked_about_and_not_sent_again(
    rig: Rig, lost: str, states: list[str]
) -> None:
    rig.bank.lose = lost
    rig.turns(1)
    rig.bank.lose = ""
    rig.turns(3)
    assert len(rig.bank.sent) == 1, "while it may still happen nothing else is sent"
    rig.turns(12, step_ms=GONE_MS // 4)
    assert [t.state for t in rig.all()] == states
    assert rig.bank.dexes["hyna"] == 2_000
    expiries = {post.expires_ms for post in rig.bank.sent}
    assert None not in expiries, "each transfer has an end of its own"


def test_a_frame_from_before_the_transfer_does_not_ask_for_a_second_one(rig: Rig) -> None:
    rig.bank.now_ms += 1_000
    for _ in range(30):
        asyncio.run(rig.treasury.turn(rig.status(), NEEDS, rig.call))
        rig.bank.now_ms += 1_000  # and no frame comes
    assert len(rig.bank.sent) == 1
    assert rig.all()[0].state == "accepted"
    assert rig.treasury.short(rig.status(), NEEDS)


def test_a_refusal_is_told_and_not_repeated_at_once(rig: Rig) -> None:
    rig.bank.lose = "refused"
    rig.turns(15)
    assert [t.state for t in rig.all()] == ["refused"]
    assert rig.all()[0].told == "Insufficient balance for token transfer"


def test_a_dex_with_the_same_collateral_lends_what_it_does_not_need(rig: Rig) -> None:
    rig.bank.dexes["xyz"] = Decimal(0)
    rig.bank.spot = {}
    rig.bank.show()
    rig.turns(5, Wanted({"": 5_000.0, "xyz": 3_000.0}, frozenset({"xyz"})))
    assert rig.bank.dexes[""] == 6_000
    assert rig.bank.dexes["xyz"] == 3_000


def test_where_nothing_can_be_had_it_says_what_to_buy(rig: Rig) -> None:
    rig.bank.spot = {}
    rig.turns(3)
    told = rig.treasury.short(live(rig.status()), NEEDS)
    assert told == {
        "hyna": "DEX hyna holds 500.00 of the 2,000.00 USDE that its markets' margin_usd need;"
        " buy 1,500.00 USDE, or lower margin_usd"
    }
    assert not rig.treasury.short(rig.status(), NEEDS), "on paper nobody can deposit"


def live(seen: GatewayStatus) -> GatewayStatus:
    return msgspec.structs.replace(seen, network="mainnet")


def test_nothing_moves_while_the_fleet_is_halted(rig: Rig) -> None:
    rig.world.halted = object()
    halted = status(dexes=rig.bank.views(), halt=rig.world.halted)
    asyncio.run(rig.treasury.turn(halted, NEEDS, rig.call))
    assert not rig.bank.sent


@pytest.mark.parametrize(("wish", "left"), [("keep", 500), ("return", 0)])
def test_a_dex_that_left_gives_back_what_it_holds_if_so_wished(
    rig: Rig, wish: str, left: int
) -> None:
    before = spec("BTC", "hyna:BTC", dexes={"hyna": msgspec.convert({"on_remove": wish}, DexSpec)})
    rig.treasury.leaving.note(before, spec("BTC"), 1)
    rig.turns(16, Wanted({"": 5_000.0}))
    assert rig.bank.dexes["hyna"] == left
    assert rig.treasury.leaving.rows() == []


def test_a_dex_that_is_back_keeps_its_collateral(rig: Rig) -> None:
    dexes = {"hyna": DexSpec(on_remove="return")}
    before = spec("BTC", "hyna:BTC", dexes=dexes)
    rig.treasury.leaving.note(before, spec("BTC"), 1)
    rig.treasury.leaving.note(spec("BTC"), before, 2)
    assert rig.treasury.leaving.rows() == []
