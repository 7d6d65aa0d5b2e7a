"""A manifest's agents over a recording, as fast as it goes: the fleet's own code, in one thread."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from agents.estimators.estimates import Estimates
from agents.exchange.downstream import Acquire
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime.conversation import Conversation, Observer
from agents.runtime.journal import Journal
from agents.runtime.journalled import Journalled
from agents.sim.flow_price import Chance
from agents.sim.tape import Tape
from fleet.manifests.spec import FleetSpec, PaperSpec, encode
from fleet.venue.config import Options
from fleet.venue.world import TapeWorld
from fleet.world.faults import Faults
from fleet.world.score import MarketScore, Score
from fleet.world.venue_side import BLOCK_NS
from fleet.world.world import World

_FOREVER_NS: Final = 1 << 62


class NothingToReplay(Exception):
    """The recording holds no market of the manifest; the text says which it holds."""


class Replayed(msgspec.Struct, frozen=True):
    """What ``fleet replay -o json`` prints, but for the wall time.

    ``estimates``: what each market's agent believed at the end; None where it saw no touch.
    """

    digest: str
    recorded_s: float
    events: int
    markets: list[MarketScore]
    estimates: dict[str, Estimates | None]
    left_out: tuple[str, ...]
    violations: tuple[str, ...]


def _journalled(
    journal: Callable[[], Journal], acquired: Acquire, observer: Observer
) -> Conversation:
    return Journalled(acquired, observer, journal())


def span_s(path: Path) -> float:
    """From the first frame of a recording to its last. Raises TapeError."""
    tape = Tape(path)
    last_ns = 0
    for now_ns in (0, _FOREVER_NS):  # the first call starts the tape at time 0
        for found in tape.due(now_ns):
            last_ns = found.t_ns
    return last_ns / NS_PER_S


def begin(spec: FleetSpec, recording: Path, chance: Callable[[str], Chance]) -> World:
    """The world at the recording's first frame. Raises TapeError, NothingToReplay."""
    paper = spec.paper or PaperSpec()
    tape = TapeWorld(Options(seed=paper.seed, recording=str(recording)))
    coins = [str(coin) for coin in tape.universe.coins()]
    settings = {name: each for name, each in spec.markets.items() if name in coins}
    if not settings:
        raise NothingToReplay(f"{recording} holds {', '.join(coins)}, none of them in the manifest")
    block_ns = paper.block_ms * NS_PER_MS or BLOCK_NS
    world = World(settings, spec.risk, tape, chance, block_ns)
    latency = paper.latency_ms
    world.venue.faults = Faults(jitter=latency.jitter, ack_ms=latency.ack, feed_ms=latency.feed)
    world.heap.note(encode(spec))
    return world


def replay(
    spec: FleetSpec,
    recording: Path,
    chance: Callable[[str], Chance],
    journal: Callable[[str], Journal] | None = None,
) -> Replayed:
    """Run it to the end of the recording. Raises TapeError, NothingToReplay.

    ``journal`` makes the journal of a market's agent, which the caller closes.
    """
    recorded_s = span_s(recording)
    world = begin(spec, recording, chance)
    if journal is not None:
        for market, agent in world.agents.items():
            agent.conversing = partial(_journalled, partial(journal, market))
    score = Score(world)
    world.run(recorded_s)
    return Replayed(
        digest=world.heap.digest,
        recorded_s=round(recorded_s, 3),
        events=world.heap.events,
        markets=score.rows(),
        estimates={market: _believed(world, market) for market in world.markets},
        left_out=tuple(name for name in spec.markets if name not in world.markets),
        violations=tuple(world.checks.violations),
    )


def _believed(world: World, market: str) -> Estimates | None:
    engine = world.crew.engine(market)
    return None if engine is None else engine.state.panel.estimates(world.heap.now_ns)
