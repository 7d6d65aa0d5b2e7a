"""Fills that come before those that were missed: none is left out behind them."""

from typing import Any

import msgspec
import pytest

from agents.exchange.codec import decode_info
from agents.exchange.codec_account import to_fill
from agents.exchange.wire import WsFill
from fleet.gateway.core import venue
from fleet.gateway.core.bookings import SNAPSHOT_FILLS
from fleet.gateway.records import Filled
from tests.simulation.gateway_world import ADDRESS, World


@pytest.fixture
def world() -> World:
    made = World(seed=5)
    made.records.clear()
    return made


def row(time_ms: int) -> dict[str, Any]:
    return {
        "coin": "BTC", "px": "84000.0", "sz": "0.002", "side": "B", "time": time_ms,
        "startPosition": "0.0", "dir": "Open Long", "closedPnl": "0.0", "hash": "0x0",
        "oid": time_ms, "crossed": False, "fee": "0.03", "tid": time_ms, "feeToken": "USDC",
    }  # fmt: skip


def tell(world: World, times_ms: list[int], *, snapshot: bool) -> None:
    data: dict[str, Any] = {"user": ADDRESS, "fills": [row(at_ms) for at_ms in times_ms]}
    data |= {"isSnapshot": True} if snapshot else {}
    world.frame(msgspec.json.encode({"channel": "userFills", "data": data}))


def booked_ms(world: World) -> list[int]:
    return [body.fill.time_ms for body in world.records if isinstance(body, Filled)]


def again(world: World) -> None:
    """The link was lost, and another connection asks for what the account did meanwhile."""
    world.do(world.core.link_lost(world.now_ms))
    world.state.awaited = {"fills"}


def test_fills_behind_a_hole_wait_until_it_is_filled(world: World) -> None:
    now_ms = world.now_ms
    tell(world, [now_ms - 900], snapshot=False)
    again(world)
    tell(world, [now_ms - 100 + at for at in range(SNAPSHOT_FILLS)], snapshot=True)
    tell(world, [now_ms + 5_000], snapshot=False)
    assert world.state.bookings.last_fill_ms == now_ms - 900, "since when is asked rests on it"

    missed = [row(now_ms - 500), row(now_ms + 5_000)]
    fills, raws = _asked(missed)
    world.do(venue.take_fills(world.state, fills, raws, world.now_ms))
    world.do(world.core.link_up(world.now_ms))
    assert len(booked_ms(world)) == SNAPSHOT_FILLS + 3
    assert now_ms - 500 in booked_ms(world)


def test_a_connection_that_ends_before_the_hole_is_filled_leaves_it_to_the_next(
    world: World,
) -> None:
    now_ms = world.now_ms
    tell(world, [now_ms - 900], snapshot=False)
    world.state.bookings.held.whole_below = 0
    again(world)
    tell(world, [now_ms], snapshot=True)
    again(world)
    assert world.state.bookings.last_fill_ms == now_ms - 900
    tell(world, [now_ms - 900, now_ms - 500, now_ms], snapshot=True)
    assert "fills" not in world.state.awaited
    assert booked_ms(world) == [now_ms - 900, now_ms - 500, now_ms]


def test_a_list_that_is_whole_is_booked_at_once(world: World) -> None:
    again(world)
    tell(world, [world.now_ms], snapshot=True)
    assert booked_ms(world) == [world.now_ms]


def _asked(rows: list[dict[str, Any]]) -> tuple[Any, list[msgspec.Raw]]:
    raw = msgspec.json.encode(rows)
    fills = tuple(to_fill(found) for found in decode_info(raw, tuple[WsFill, ...]))
    return fills, msgspec.json.decode(raw, type=list[msgspec.Raw])
