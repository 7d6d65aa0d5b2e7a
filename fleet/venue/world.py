"""What stands behind the venue: the exchange, and who else trades there: flow, or a tape."""

import math
import random
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

import msgspec

from agents.market.types import Coin, Side
from agents.market.units import BPS, NS_PER_MS
from agents.sim.exchange import Exchange
from agents.sim.flow import Flow
from agents.sim.outputs import Output
from agents.sim.tape import Outage, Tape, TapeFrame
from agents.sim.tape_market import TapeMarket
from agents.sim.universe import Universe, default_universe
from fleet.venue.config import Options
from fleet.venue.listing import tape_universe
from fleet.venue.subscriptions import Key

ORACLE_MS: Final = 1_000


class Step(msgspec.Struct, frozen=True):
    """What one block brought: outputs of the exchange, and frames of a tape."""

    outputs: tuple[Output, ...]
    frames: tuple[TapeFrame, ...] = ()


class World(Protocol):
    """One exchange and its counterparties; ``step`` runs one block."""

    exchange: Exchange
    universe: Universe

    def step(self, now_ns: int) -> Step:
        """Let everybody else act up to now, then run the actions queued."""

    def run_queue(self, now_ns: int) -> Step:
        """Run the actions queued, and nothing else."""

    def dark(self, coin: str) -> bool:
        """Whether the coin's market data are silent at this moment."""

    def taped(self, key: Key) -> bool:
        """Whether a tape sends the frames of this feed."""

    def book_ms(self, coin: str) -> int | None:
        """The recorded time of the book; None where the exchange's own time holds."""

    def save(self) -> dict[str, object]:
        """What must outlive a restart beside the exchange's own state."""

    def restore(self, state: Mapping[str, object]) -> None:
        """Take over what ``save`` gave; before the first step. Raises ValueError."""


class RuledWorld(World, Protocol):
    """A world in which an operator may strike."""

    def hold_oracles(self, coins: Collection[str]) -> None:
        """Only these coins' oracles stay where they are from now on."""

    def move(self, coin: Coin, share: float) -> bool:
        """The coin is worth so much more at once, for all; False: a tape says what it is worth."""

    def sweep(self, coin: Coin, side: Side, usd: float) -> bool:
        """Somebody takes so much with the next block; False: nobody but a tape trades here."""


class FlowDoor:
    """The exchange as flow sees it: with the markets it looks at before it acts."""

    def __init__(self, exchange: Exchange) -> None:
        self.place_flow = exchange.place_flow
        self.cancel_flow = exchange.cancel_flow
        self.next_oid = exchange.next_oid
        self.market = exchange.floor.markets.__getitem__
        self.still: Collection[str] = ()
        self._set_oracle = exchange.set_oracle

    def set_oracle(self, coin: Coin, px: Decimal) -> None:
        if coin not in self.still:
            self._set_oracle(coin, px)


class FlowWorld:
    """Order books with synthetic flow in every market."""

    def __init__(self, options: Options) -> None:
        self.universe = default_universe()
        self.exchange = Exchange(self.universe, rules=options.rules)
        self._door = FlowDoor(self.exchange)
        self._flow = Flow(self.universe, random.Random(options.seed), options.flow)

    def step(self, now_ns: int) -> Step:
        now_ms = now_ns // NS_PER_MS
        self.exchange.begin(now_ms)
        self._flow.step(self._door, now_ms)
        return Step(self.exchange.block(now_ms))

    def run_queue(self, now_ns: int) -> Step:
        return Step(self.exchange.block(now_ns // NS_PER_MS))

    def dark(self, coin: str) -> bool:
        del coin
        return False

    def taped(self, key: Key) -> bool:
        del key
        return False

    def book_ms(self, coin: str) -> int | None:
        del coin
        return None

    def hold_oracles(self, coins: Collection[str]) -> None:
        self._door.still = coins

    def move(self, coin: Coin, share: float) -> bool:
        self._flow.prices.push(coin, math.log1p(share) * BPS)
        return True

    def sweep(self, coin: Coin, side: Side, usd: float) -> bool:
        self._flow.sweep(coin, side, usd)
        return True

    def save(self) -> dict[str, object]:
        return {"fair_px": dict(self._flow.prices.px)}

    def restore(self, state: Mapping[str, object]) -> None:
        self._flow.restore(msgspec.convert(state.get("fair_px", {}), dict[Coin, float]))


class TapeWorld:
    """The markets of a recording. A restart begins the recording again."""

    def __init__(self, options: Options) -> None:
        assert options.recording is not None
        path = Path(options.recording)
        self.universe = tape_universe(path, default_universe())
        self._markets = {coin: TapeMarket(coin) for coin in self.universe.coins()}
        self.exchange = Exchange(self.universe, markets=self._markets, rules=options.rules)
        self._tape = Tape(path, end=options.end)
        self._oracle_ms = 0
        self._still: Collection[str] = ()

    def step(self, now_ns: int) -> Step:
        now_ms = now_ns // NS_PER_MS
        self.exchange.begin(now_ms)
        frames: list[TapeFrame] = []
        for found in self._tape.due(now_ns):
            if isinstance(found, Outage):
                for market in self._markets.values():
                    market.go_dark()
                continue
            market = self._markets[found.coin]
            executions = market.apply(found)
            if executions:
                self.exchange.tape_fill(found.coin, executions, now_ms)
            frames.append(found)
        if now_ms - self._oracle_ms >= ORACLE_MS:
            self._publish(now_ms)
        return Step(self.exchange.block(now_ms), tuple(frames))

    def run_queue(self, now_ns: int) -> Step:
        return Step(self.exchange.block(now_ns // NS_PER_MS))

    def dark(self, coin: str) -> bool:
        market = self._markets.get(Coin(coin))
        return market is None or market.dark()

    def taped(self, key: Key) -> bool:
        return key == Key("l2Book", coin=key.coin)

    def book_ms(self, coin: str) -> int | None:
        return self._markets[Coin(coin)].book_ms

    def hold_oracles(self, coins: Collection[str]) -> None:
        self._still = coins

    def move(self, coin: Coin, share: float) -> bool:
        del coin, share
        return False

    def sweep(self, coin: Coin, side: Side, usd: float) -> bool:
        del coin, side, usd
        return False

    def save(self) -> dict[str, object]:
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        del state

    def _publish(self, now_ms: int) -> None:
        """The oracle follows the mid: no recording holds one."""
        self._oracle_ms = now_ms
        for coin, market in self._markets.items():
            bid, ask = market.touch()
            quoted = bid is not None and ask is not None and not market.dark()
            if bid is not None and ask is not None and quoted and coin not in self._still:
                step = Decimal(1).scaleb(self.universe.instrument(coin).sz_decimals - 6)
                self.exchange.set_oracle(coin, ((bid.px + ask.px) / 2).quantize(step))


def build(options: Options) -> RuledWorld:
    """The world the options ask for. Raises TapeError for a recording that cannot be read."""
    return FlowWorld(options) if options.recording is None else TapeWorld(options)
