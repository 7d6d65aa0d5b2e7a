"""The caps see at once what a fill changes: a close in one market takes room in the others."""

from decimal import Decimal

from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from fleet.gateway.api import Caps, CapsPut
from fleet.gateway.core import capping, control, venue
from tests.simulation.gateway_world import World

NET_MAX_USD = 1_000.0


def fill(world: World, market: str, side: Side, sz: Decimal, held_sz: Decimal) -> None:
    """Booked, as the venue told of it."""
    traded = Fill(
        coin=Coin(market), side=side, px=Decimal(100), sz=sz, time_ms=world.now_ms + 1,
        tid=Tid(1 if held_sz == 0 else 2), oid=Oid(1), cloid=Cloid("0x00"), fee=Decimal(0),
        fee_token="USDC", crossed=True, start_position_sz=held_sz, closed_pnl=Decimal(0),
    )  # fmt: skip
    venue._book(world.state, traded, world.now_ms)


def test_a_close_that_filled_takes_room_on_the_other_side_at_once() -> None:
    world = World(seed=5, markets=("BTC", "hyna:BTC"))
    world.run(1_500)
    world.do(control.put_caps(world.state, CapsPut(Caps(net_max_usd=NET_MAX_USD))))
    mark_usd = world.state.mark_usd("BTC")
    assert mark_usd is not None
    half_sz = Decimal(str(round(0.5 * NET_MAX_USD / mark_usd, 5)))
    most_sz = Decimal(str(round(0.9 * NET_MAX_USD / mark_usd, 5)))
    ask = {Side.ASK: most_sz + half_sz}
    fill(world, "BTC", Side.BID, half_sz, Decimal(0))
    capping.renew(world.state)
    assert capping.judge(world.state, "hyna:BTC")(ask) is None, "beside what is long"
    fill(world, "BTC", Side.ASK, half_sz, half_sz)
    refused = capping.judge(world.state, "hyna:BTC")(ask)
    assert refused is not None
    assert refused.startswith("net: ")
