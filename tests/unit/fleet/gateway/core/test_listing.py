"""What the venue changes of a market is told; what an agent can't go on under fences it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.exchange.registry import Registry
from agents.exchange.wire import Meta, PerpDex, SpotMeta
from agents.exchange.wire_market import PerpDexLimits
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from fleet.gateway.core.effects import Alert
from fleet.gateway.core.listing import changes
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World


def desk(exchange: Exchange, **request: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(exchange.info(request, 0)))


def registry(change: Any = lambda _: None) -> Registry:
    """As listed, after ``change`` has had its way with the metas by DEX."""
    exchange = Exchange(default_universe())

    dexs = desk(exchange, type="perpDexs")
    names = ["", *(row["name"] for row in dexs if row)]
    metas = {name: desk(exchange, type="meta", dex=name) for name in names}
    change(metas)
    return Registry.build(
        msgspec.convert(dexs, tuple[PerpDex | None, ...]),
        {name: msgspec.convert(meta, Meta) for name, meta in metas.items()},
        msgspec.convert(desk(exchange, type="spotMeta"), SpotMeta),
        Decimal("0.00015"),
        Decimal("0.00045"),
    )


def row(metas: Any, dex: str, coin: str) -> Any:
    return next(entry for entry in metas[dex]["universe"] if entry["name"] == coin)


def test_the_same_listing_again_says_nothing() -> None:
    assert list(changes(registry(), registry())) == []


@pytest.mark.parametrize(
    ("dex", "coin", "change", "text", "pauses"),
    [
        ("", "BTC", {"isDelisted": True}, "delisted", True),
        ("", "BTC", {"szDecimals": 4}, "sz_decimals was 5, is 4", True),
        ("", "BTC", {"marginTableId": 10}, "margin table is 40x from 0", True),
        ("xyz", "xyz:TSLA", {"marginMode": "strictIsolated"}, "margin mode", True),
        ("xyz", "xyz:TSLA", {"growthMode": "disabled"}, "growth mode is off", False),
        ("hyna", "hyna:BTC", {"deployerFeeScale": "1.0"}, "fees are 3 and 9 bps", False),
    ],
)
def test_each_change_is_told_and_what_breaks_a_lease_pauses(
    dex: str, coin: str, change: dict[str, Any], text: str, pauses: bool
) -> None:
    def apply(metas: Any) -> None:
        row(metas, dex, coin).update(change)

    found = [each for each in changes(registry(), registry(apply)) if text in each.text]
    assert [(each.market, each.pauses) for each in found] == [(coin, pauses)]


def test_a_market_whose_margin_table_changes_is_fenced_and_its_orders_go() -> None:
    world = World(seed=5)
    agent = Agent(world, 1, "BTC")
    world.every(100, agent.trade)
    world.run(3_000)
    assert world.resting("BTC")

    def apply(metas: Any) -> None:
        row(metas, "", "BTC")["marginTableId"] = 10

    world.do(world.core.refreshed(registry(apply), world.now_ms))
    assert [a.event for a in world.alerts if a.market == "BTC"] == ["listing"]
    world.run(2_000)
    assert not world.resting("BTC")
    assert "margin table" in world.state.fence.reason("BTC")
    assert isinstance(world.alerts[-1], Alert)


def test_what_a_dex_bounds_is_told_when_it_changes_and_not_when_it_is_first_heard() -> None:
    limits = PerpDexLimits(Decimal(1_000_000), Decimal(10**9), Decimal(5_000))
    bounded = msgspec.structs.replace(registry(), limits={"xyz": limits})
    assert list(changes(registry(), bounded)) == []
    less = msgspec.structs.replace(limits, total_oi_cap=Decimal(500_000))
    (found,) = changes(bounded, msgspec.structs.replace(bounded, limits={"xyz": less}))
    assert found.text == "xyz: the cap on all open interest was 1,000,000, is 500,000"
    assert not found.pauses
    told = desk(Exchange(default_universe()), type="perpDexLimits", dex="xyz")
    assert msgspec.convert(told, PerpDexLimits, strict=False).total_oi_cap > 0


def test_a_market_that_its_deployer_stops_is_fenced_by_the_first_answer_that_says_so() -> None:
    world = World(seed=5)
    agent = Agent(world, 1, "BTC")
    world.every(100, agent.trade)
    world.run(2_000)
    world.exchange.halt("BTC", halted=True)  # type: ignore[arg-type]
    world.run(2_000)
    assert "Trading is halted" in world.state.fence.reason("BTC")
    assert [a.event for a in world.alerts if a.market == "BTC"] == ["listing"]
    sent = len([s for s in world.sent if s.placement])
    world.run(2_000)
    assert len([s for s in world.sent if s.placement]) == sent
