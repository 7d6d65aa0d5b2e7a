"""What the gateway still does, and does not, when the disk takes nothing more."""

import asyncio
import errno
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.downstream import (
    Acquire,
    GatewayFrame,
    LeaseFrame,
    LeaseRefused,
    Refusal,
    ToAgent,
    ToGateway,
)
from agents.exchange.signing import L1Signer, draw_key
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from fleet.folder import Folder
from fleet.gateway import store as store_module
from fleet.gateway.api import DirectivesPut, HaltRequest, LatchView
from fleet.gateway.core import control, requests
from fleet.gateway.core.control import Halt
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import Alert, Record
from fleet.gateway.core.state import Identity
from fleet.gateway.core.status import status
from fleet.gateway.framing import read_records
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Alerted, Filled, LinkSeen
from fleet.gateway.recover import restore
from fleet.gateway.service import MISSED_MS, Gateway
from fleet.gateway.store import Store
from fleet.gateway.upstream import HeldBack
from tests.simulation.gateway_world import World

FULL = OSError(errno.ENOSPC, "No space left on device")


class Ear:
    """An agent's connection that only listens."""

    def __init__(self) -> None:
        self.told: list[GatewayFrame] = []
        self.is_cut = False

    def push(self, data: bytes, slot: str | None) -> None:
        del slot
        self.told.append(msgspec.json.decode(data, type=ToAgent).data)

    def cut(self) -> None:
        self.is_cut = True


class Disk:
    """A gateway on a disk that can be filled."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = Folder(root / "fleet")
        self.folder.create()
        self._patch = patch
        self.log = ActionLog(self.folder.actions)
        self.log.open()
        store = Store(self.folder)
        identity = Identity(
            fleet="t", network="paper", url="http://127.0.0.1:9", address="0x", instance="abc123",
            build="", token="token", created_ms=1,
        )  # fmt: skip
        state = restore(identity, store, self.log, 1)
        donor = World(1, ("BTC",)).state
        state.registry, state.markets = donor.registry, donor.markets
        state.link.ever, state.link.state = True, "up"
        self.gateway = Gateway(Core(state), L1Signer(draw_key(), mainnet=False), self.log, store)

    def fill(self) -> None:
        def full(*_: object) -> int:
            raise FULL

        self._patch.setattr(self.log, "append", full)
        self._patch.setattr(store_module, "write_durably", full)

    def free(self) -> None:
        self._patch.undo()

    def acquire(self, session: int) -> Ear:
        ear = self.gateway.agents[session] = Ear()
        self.gateway.core.opened(session, self.gateway.now_ms())
        frame = Acquire(market="BTC", protocol=1, build="t", token="token", process="0" * 16, pid=1)
        self.gateway.said(session, msgspec.json.encode(ToGateway(data=frame)))
        return ear

    def unwritable(self) -> str | None:
        return status(self.gateway.state, self.gateway.now_ms()).unwritable


@pytest.fixture
async def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disk]:
    made = Disk(tmp_path, monkeypatch)
    yield made
    made.log.close()
    await made.gateway.http.close()
    shutil.rmtree(made.folder.run, ignore_errors=True)


def fill(tid: int) -> Filled:
    return Filled(
        fill=Fill(
            coin=Coin("BTC"), side=Side.ASK, px=Decimal(100), sz=Decimal(1), time_ms=5,
            tid=Tid(tid), oid=Oid(1), cloid=None, fee=Decimal(0), fee_token="USDC",
            crossed=False, start_position_sz=Decimal(1), closed_pnl=Decimal(0),
        ), ours=True, mid_px=None,
    )  # fmt: skip


async def test_no_lease_is_given_whose_generation_is_not_on_the_disk(disk: Disk) -> None:
    disk.fill()
    ear = disk.acquire(1)
    assert not any(isinstance(told, LeaseFrame) for told in ear.told)
    assert any(isinstance(told, LeaseRefused) and told.reason == "unready" for told in ear.told)
    assert ear.is_cut
    assert disk.gateway.state.leases.holders == {}
    assert "can't be written" in (disk.unwritable() or "")
    second = disk.acquire(2)
    assert isinstance(second.told[0], LeaseRefused)
    disk.free()
    disk.gateway.keeping.mend(disk.gateway.now_ms(), 0)
    assert disk.unwritable() is None
    third = disk.acquire(3)
    lease = next(told for told in third.told if isinstance(told, LeaseFrame))
    kept = Store(disk.folder).leases()["BTC"]
    assert kept.generation == lease.generation


async def test_fills_of_a_full_disk_are_written_when_it_is_not(disk: Disk) -> None:
    disk.fill()
    disk.gateway.run([Record(body=fill(1)), Record(body=LinkSeen(state="up"))])
    disk.gateway.run([Record(body=fill(2))])
    assert "action log" in (disk.unwritable() or "")
    disk.free()
    disk.gateway.run([Record(body=fill(3))])
    assert disk.unwritable() is None
    bodies = [r.body for p in disk.log.segments() for _, r in read_records(p)]
    assert [b.fill.tid for b in bodies if isinstance(b, Filled)] == [1, 2, 3]


async def test_a_halt_goes_on_without_a_disk_and_is_latched_later(disk: Disk) -> None:
    disk.fill()
    state = disk.gateway.state
    asked = Halt(HaltRequest(reason="r", by="b"), disk.gateway.now_ms())
    disk.gateway.run(asked.latch(state, disk.gateway.now_ms()))
    asked.try_door(state, disk.gateway.now_ms())
    disk.gateway.run(asked.clear(state, disk.gateway.now_ms()))
    assert state.fence.latch is not None
    assert state.pending, "it asks and cancels all the same"
    assert not disk.folder.halt.exists()
    disk.free()
    disk.gateway.keeping.mend(disk.gateway.now_ms(), 0)
    assert disk.folder.halt.exists()


class Line:
    """A connection whose frames wait for their turn; ``silent_ms``: as long nothing was heard."""

    def __init__(self, silent_ms: int = 0) -> None:
        self.silent_ms = silent_ms
        self.waiting: list[tuple[bytes, HeldBack | None]] = []

    def send(self, data: bytes, held_back: HeldBack | None = None) -> bool:
        self.waiting.append((data, held_back))
        return True


async def test_a_latch_that_comes_after_the_signature_still_holds_the_placement(disk: Disk) -> None:
    """As after a stop of the process between its look at the latch and its send."""
    gateway, line = disk.gateway, Line()
    gateway.upstream = line  # type: ignore[assignment]
    gateway.state.account.marks["BTC"] = 60_000.0
    put = DirectivesPut(
        seq=1, as_of_ms=gateway.now_ms(), state="normal", reason="", directives={}
    )  # fmt: skip
    gateway.run(control.put_directives(gateway.state, put))
    ear = disk.acquire(1)
    lease = next(told for told in ear.told if isinstance(told, LeaseFrame))
    cloid = Cloid(f"0x{lease.cloid_prefix}{1:012x}")
    order = NewOrder(cloid, Side.BID, Decimal(50_000), Decimal("0.001"))
    payload = {"action": encode_place([order], 0), "generation": lease.generation, "value_usd": 1.0}
    post = {"method": "post", "id": 7, "request": {"type": "action", "payload": payload}}
    gateway.said(1, msgspec.json.encode(post))
    data, held_back = line.waiting.pop()
    assert cloid.encode() in data
    assert held_back is not None
    assert not held_back(), "nothing is latched: it may leave"
    Store(disk.folder).keep_latch(LatchView(reason="r", by="direct", at_ms=1))
    assert held_back()
    refused = [told for told in ear.told if isinstance(told, Refusal)]
    assert [(told.id, told.reason) for told in refused] == [(7, "fenced")]
    assert gateway.state.fence.latch is not None
    assert gateway.state.orders.by_cloid == {}


async def test_what_cancels_takes_another_way_where_the_connection_seems_dead(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: list[bytes] = []

    async def exchange(body: bytes) -> bytes:
        posted.append(body)
        return b'{"status":"ok","response":{"type":"default"}}'

    gateway = disk.gateway
    monkeypatch.setattr(type(gateway.http), "exchange", lambda _, body: exchange(body))
    for silent_ms, frames, posts in ((MISSED_MS, 1, 0), (MISSED_MS + 1, 0, 1)):
        gateway.upstream = line = Line(silent_ms)  # type: ignore[assignment]
        posted.clear()
        gateway.run([requests.void(gateway.state, 5, None, gateway.now_ms())])
        await asyncio.sleep(0)
        assert (len(line.waiting), len(posted)) == (frames, posts)


async def test_an_alert_is_a_record_that_the_ledger_sends_on(disk: Disk) -> None:
    disk.gateway.run([Alert("critical", "orphan", "by test", "BTC")])
    (path,) = disk.log.segments()
    bodies = [record.body for _, record in read_records(path)]
    assert Alerted("critical", "orphan", "by test", "BTC") in bodies


async def test_an_alert_that_cannot_be_recorded_harms_nobody(disk: Disk) -> None:
    disk.fill()
    disk.gateway.run([Alert("info", "halt", "lifted")])
    assert "No space left" in (disk.unwritable() or "")
    disk.free()
