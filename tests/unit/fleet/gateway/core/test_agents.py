"""Who is given no lease: another protocol than the gateway's is another build's."""

import msgspec

from agents.exchange.downstream import (
    PROTOCOL_VERSION,
    Acquire,
    LeaseFrame,
    LeaseRefused,
    ToAgent,
    ToGateway,
)
from fleet.gateway.core.effects import Effect, Tell
from tests.simulation.gateway_world import TOKEN, World

SESSION = 77


def answers(effects: list[Effect]) -> list[object]:
    told = [e.data for e in effects if isinstance(e, Tell) and b'"channel":"gw"' in e.data]
    return [msgspec.json.decode(data, type=ToAgent).data for data in told]


def asked(world: World, protocol: int) -> object:
    frame = Acquire(
        market="BTC", protocol=protocol, build="other", token=TOKEN, process="0" * 16, pid=1
    )
    raw = msgspec.json.encode(ToGateway(data=frame))
    return answers(list(world.core.said(SESSION, raw, world.now_ms)))[0]


def test_an_agent_of_another_protocol_gets_no_lease_and_hears_why() -> None:
    world = World(seed=5)
    world.core.opened(SESSION, world.now_ms)
    for protocol in (PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1):
        refused = asked(world, protocol)
        assert isinstance(refused, LeaseRefused)
        assert refused.reason == "build"
        assert f"protocol {protocol}; the gateway speaks {PROTOCOL_VERSION}" in refused.text
    assert isinstance(asked(world, PROTOCOL_VERSION), LeaseFrame)
