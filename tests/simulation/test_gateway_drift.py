"""Fills that the venue's feed loses, against the exchange itself: found, or told."""

from decimal import Decimal

from fleet.gateway.core.status import status
from fleet.gateway.records import Filled
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World

BTC = "BTC"


class Deaf(World):
    """A venue whose feed can lose every fill, and whose /info can too."""

    feed_lost = False
    info_lost = False

    def _feed(self, raw: bytes) -> None:
        if not (self.feed_lost and b'"userFills"' in raw):
            super()._feed(raw)

    def _post_frame(self, request: int, kind: str, payload: object) -> None:
        asked = isinstance(payload, dict) and payload.get("type") == "userFillsByTime"
        if not (self.info_lost and asked):
            super()._post_frame(request, kind, payload)


def trading() -> tuple[Deaf, Agent]:
    world = Deaf(3, (BTC,))
    agent = Agent(world, 1, BTC)
    world.every(100, agent.trade)
    world.run_until(lambda: bool(booked(world)), 30_000)
    return world, agent


def booked(world: World) -> list[tuple[int, int]]:
    return [(b.fill.tid, b.fill.oid) for b in world.records if isinstance(b, Filled)]


def at_venue(world: World) -> list[tuple[int, int]]:
    request = {"type": "userFills", "user": world.state.identity.address}
    rows = world.exchange.info(request, world.now_ms)
    assert isinstance(rows, list)
    return [(row["tid"], row["oid"]) for row in rows]


def drift(world: World) -> str | None:
    return next(m.drift for m in status(world.state, world.now_ms).markets if m.market == BTC)


def test_in_quiet_and_lively_trading_nothing_drifts() -> None:
    world, _ = trading()
    for _ in range(60):
        world.run(1_000)
        assert drift(world) is None
    assert world.alerts == []
    assert len(booked(world)) > 10


def test_fills_that_the_feed_lost_are_asked_for_and_booked_once() -> None:
    world, agent = trading()
    world.feed_lost = True
    missing = len(at_venue(world))
    world.run_until(lambda: len(at_venue(world)) > missing, 30_000)
    agent.lease = None  # no more orders, so that the count stands
    world.feed_lost = False
    world.run(15_000)
    assert sorted(booked(world)) == sorted(at_venue(world))
    assert drift(world) is None


def test_a_fill_that_nobody_tells_is_told_to_a_person_and_in_status() -> None:
    world, agent = trading()
    world.feed_lost = world.info_lost = True
    before = world.position_sz(BTC)
    world.run_until(lambda: world.position_sz(BTC) != before, 30_000)
    agent.lease = None
    world.run(12_000)
    assert "our fills add up to" in (drift(world) or "")
    told = [alert for alert in world.alerts if alert.event == "drift"]
    assert [(alert.severity, alert.market) for alert in told] == [("critical", BTC)]
    world.feed_lost = world.info_lost = False
    world.run(25_000)
    assert drift(world) is None
    assert [a.severity for a in world.alerts if a.event == "drift"] == ["critical", "info"]


def test_an_agent_that_believes_otherwise_is_told() -> None:
    world, agent = trading()
    agent.believes_sz = Decimal(7)
    world.run(8_000)
    assert "its agent believes in 7" in (drift(world) or "")
    assert any(alert.event == "drift" for alert in world.alerts)
