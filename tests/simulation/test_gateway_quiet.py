"""Ten minutes on a HIP-3 market whose touch never changes: what rests there, rests on."""

from decimal import Decimal

import msgspec

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.market.types import Cloid, Side
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World

MARKET = "hyna:BTC"
QUIET_MS = 600_000


class Quiet(World):
    """Nobody trades, and no touch is told after the first: the book alone ticks on."""

    def _block(self) -> None:
        self.rng.seed(3)  # draws above what makes a taker come
        super()._block()

    def _market_frames(self) -> None:
        if not self.state.link.ever:
            super()._market_frames()
            return
        for market in self.markets:
            book = self.exchange.l2(market, 5)  # type: ignore[arg-type]
            frame = {"channel": "l2Book", "data": {**book, "time": self.now_ms, "fast": True}}
            self.frame(msgspec.json.encode(frame))


def test_a_quiet_market_stays_quoted() -> None:
    world = Quiet(1, (MARKET,))
    agent = Agent(world, 1, MARKET)
    world.run(1_000)
    assert agent.lease is not None
    instrument = agent.lease.instrument
    px = instrument.passive_px(world.mids[MARKET] * Decimal("0.9985"), Side.BID)
    cloid = Cloid(f"0x{agent.lease.cloid_prefix}{1:012x}")
    agent.post(encode_place([NewOrder(cloid, Side.BID, px, Decimal("0.001"))], instrument.asset_id))
    world.run(1_000)
    assert [row["cloid"] for row in world.resting(MARKET)] == [cloid]
    touch = world.exchange.bbo(MARKET)  # type: ignore[arg-type]
    world.run(QUIET_MS)
    assert world.exchange.bbo(MARKET)["bbo"] == touch["bbo"]  # type: ignore[arg-type]
    assert world.state.feeds.gaps == {}
    assert [row["cloid"] for row in world.resting(MARKET)] == [cloid]
    assert world.alerts == []
