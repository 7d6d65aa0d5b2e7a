"""A gateway that starts knows what its predecessor knew."""

import os
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place, encode_replace
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from agents.settings import MarketSettings, RiskSettings
from fleet.folder import Folder
from fleet.gateway import log as log_module
from fleet.gateway.core.bookings import Bookings
from fleet.gateway.core.cloids import lease_prefix
from fleet.gateway.core.lease import Durable
from fleet.gateway.core.state import Identity
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Answered, Carried, Filled, LinkSeen, Sent
from fleet.gateway.recover import IN_FLIGHT_MS, restore
from fleet.gateway.standing import Standing
from fleet.gateway.store import KeptMarket, Store

NOW_MS = 1_795_000_000_000
IDENTITY = Identity(
    fleet="t", network="paper", url="", address="0x", instance="abc123", build="", token="",
    created_ms=NOW_MS - 100_000,
)  # fmt: skip
PREFIX = lease_prefix("abc123", 1, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "fleet")
    folder.create()
    yield folder
    shutil.rmtree(folder.run)


def sent(nonce: int, sequence: int) -> Sent:
    order = NewOrder(Cloid(f"0x{PREFIX}{sequence:012x}"), Side.BID, Decimal(99), Decimal(2))
    action = msgspec.json.encode(encode_place([order], 0)).decode()
    return Sent(nonce=nonce, market="BTC", generation=4, action=action)


def test_what_was_to_replace_an_order_is_in_flight_too(folder: Folder) -> None:
    """A lost answer to a replacement: the new order counts as open, the number as used."""
    log = ActionLog(folder.actions)
    log.open()
    store = Store(folder)
    store.keep_leases({"BTC": Durable(number=1, generation=4, process="p", pid=1)})
    old = Cloid(f"0x{PREFIX}{1:012x}")
    new = NewOrder(Cloid(f"0x{PREFIX}{2:012x}"), Side.BID, Decimal(99), Decimal(2), replaces=old)
    action = msgspec.json.encode(encode_replace([new], 0)).decode()
    body = Sent(nonce=NOW_MS + 1, market="BTC", generation=4, action=action)
    log.append(body, NOW_MS * 1_000_000)
    state = restore(IDENTITY, store, log, NOW_MS)
    assert list(state.orders.unresolved) == [NOW_MS + 1]
    assert state.orders.exposure("BTC", Decimal(0)).open_bid_sz == 2
    assert state.sequences["BTC"].used(2)


def fill(tid: int) -> Fill:
    return Fill(
        coin=Coin("BTC"), side=Side.ASK, px=Decimal(100), sz=Decimal(1), time_ms=NOW_MS - 50,
        tid=Tid(tid), oid=Oid(1), cloid=None, fee=Decimal("0.5"), fee_token="USDC",
        crossed=False, start_position_sz=Decimal(1), closed_pnl=Decimal(3),
    )  # fmt: skip


def test_the_log_tells_nonces_fills_and_what_is_in_flight(folder: Folder) -> None:
    log = ActionLog(folder.actions)
    log.open()
    store = Store(folder)
    store.keep_leases({"BTC": Durable(number=1, generation=4, process="p", pid=1)})
    old_ns, now_ns = (NOW_MS - IN_FLIGHT_MS - 1) * 1_000_000, NOW_MS * 1_000_000
    log.append(sent(NOW_MS + 1, 1), old_ns)
    log.append(sent(NOW_MS + 2, 2), now_ns)
    log.append(Answered(NOW_MS + 2, "{}"), now_ns)
    log.append(sent(NOW_MS + 9, 3), now_ns)
    log.append(Filled(fill(1), ours=True, mid_px=None), now_ns)
    state = restore(IDENTITY, store, log, NOW_MS)
    assert state.nonces.next(NOW_MS) == NOW_MS + 10
    assert list(state.orders.unresolved) == [NOW_MS + 9]
    assert state.orders.exposure("BTC", Decimal(0)).open_bid_sz == 2
    assert not state.bookings.fill_is_new(fill(1))
    assert state.bookings.fill_is_new(fill(2))
    assert state.bookings.pnl_day_usd("BTC", NOW_MS) == 2.5
    used = state.sequences["BTC"]
    assert [used.used(n) for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert state.leases.live("BTC", 4)
    assert state.log_seq == 5


def test_a_segment_tells_what_those_before_it_told(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, store = ActionLog(folder.actions), Store(folder)
    log.open()
    log.standing = Standing(restore(IDENTITY, store, log, NOW_MS).bookings, lambda: NOW_MS + 7)
    monkeypatch.setattr(log_module, "SEGMENT_BYTES_MAX", 1)
    log.append(Filled(fill(1), ours=True, mid_px=None), NOW_MS * 1_000_000)
    for _ in range(4):  # each record begins a segment of its own
        log.append(LinkSeen(state="up"), NOW_MS * 1_000_000)
    log.append(Filled(fill(2), ours=True, mid_px=None), NOW_MS * 1_000_000)
    log.close()
    assert len(log.segments()) == 6
    told = [record.body for record in log.tail(1)]
    assert [type(body) for body in told] == [Carried, Filled]
    assert told[0].fills == ((NOW_MS - 50, "BTC", 1, 1),)  # type: ignore[union-attr]
    again = ActionLog(folder.actions)
    again.open()
    state = restore(IDENTITY, store, again, NOW_MS)
    assert state.nonces.last == NOW_MS + 7
    assert state.bookings.pnl_day_usd("BTC", NOW_MS) == 5.0
    assert state.bookings.last_fill_ms == NOW_MS - 50
    assert [state.bookings.fill_is_new(fill(tid)) for tid in (1, 2, 3)] == [False, False, True]
    again.close()


def test_a_fill_that_the_log_did_not_take_is_not_told_as_booked(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ActionLog(folder.actions)
    log.open()
    log.standing = Standing(Bookings(0), lambda: 0)
    log.append(LinkSeen(state="up"), 1)

    def full(_fd: int, _data: bytes) -> int:
        raise OSError("no space left")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(OSError, match="space"):
            log.append(Filled(fill(1), ours=True, mid_px=None), 1)
    assert log.standing.head().fills == ()
    log.append(Filled(fill(1), ours=True, mid_px=None), 1)
    assert len(log.standing.head().fills) == 1
    log.close()


def test_settings_pauses_and_fences_come_back(folder: Folder) -> None:
    log = ActionLog(folder.actions)
    log.open()
    store = Store(folder)
    risk = RiskSettings(position_max_usd=500.0, daily_loss_max_usd=1.0)
    settings = MarketSettings(Coin("BTC"), margin_usd=1.0, leverage=3, risk=risk)
    store.keep_market(KeptMarket("BTC", 7, settings, paused=True, fences={"agent": "loss"}))
    store.keep_limits({"BTC": 400.0})
    state = restore(IDENTITY, store, log, NOW_MS)
    assert state.markets["BTC"].revision == 7
    assert state.markets["BTC"].paused
    assert state.fence.reason("BTC") == "loss"
    assert state.limits.raises("BTC", 500.0)
