"""Who else trades in a simulated world: synthetic flow in the markets that are made, no others."""

from collections.abc import Mapping, Sequence

import msgspec

from agents.market.types import Coin
from agents.market.units import NS_PER_MS
from agents.sim.exchange import Exchange
from agents.sim.flow import Flow
from agents.sim.flow_price import Chance
from agents.sim.flow_profile import Mode
from agents.sim.universe import Universe, default_universe
from fleet.venue.subscriptions import Key
from fleet.venue.world import Step


def universe_of(markets: Sequence[str]) -> Universe:
    """The paper venue's listing, reduced to ``markets``; a DEX without one of them is empty.

    KeyError for a market that it does not list.
    """
    listed = default_universe()
    wanted = {listed.listings[Coin(market)].coin for market in markets}
    return Universe(
        msgspec.structs.replace(dex, assets=tuple(a for a in dex.assets if a.name in wanted))
        for dex in listed.dexes
    )


class FlowDoor:
    """The exchange as flow sees it: with the markets it looks at before it acts."""

    def __init__(self, exchange: Exchange) -> None:
        self.place_flow = exchange.place_flow
        self.cancel_flow = exchange.cancel_flow
        self.next_oid = exchange.next_oid
        self.set_oracle = exchange.set_oracle
        self.market = exchange.floor.markets.__getitem__


class Counterparties:
    """Implements ``fleet.venue.world.World``. ``dark_coins``: no market data of these."""

    def __init__(self, markets: Sequence[str], chance: Chance, mode: Mode) -> None:
        self.universe = universe_of(markets)
        self.exchange = Exchange(self.universe)
        self.dark_coins: set[str] = set()
        self._door = FlowDoor(self.exchange)
        self._flow = Flow(self.universe, chance, mode)

    def step(self, now_ns: int) -> Step:
        now_ms = now_ns // NS_PER_MS
        self.exchange.begin(now_ms)
        self._flow.step(self._door, now_ms)
        return Step(self.exchange.block(now_ms))

    def run_queue(self, now_ns: int) -> Step:
        """A block without flow."""
        return Step(self.exchange.block(now_ns // NS_PER_MS))

    def dark(self, coin: str) -> bool:
        return coin in self.dark_coins

    def taped(self, key: Key) -> bool:
        del key
        return False

    def book_ms(self, coin: str) -> int | None:
        del coin
        return None

    def save(self) -> dict[str, object]:
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        del state
