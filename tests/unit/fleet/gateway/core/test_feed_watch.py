"""A market whose books stop coming: what is asked again, what its agent hears, when it is over."""

from collections.abc import Iterable

import msgspec

from agents.exchange.downstream import LinkFrame
from fleet.gateway.core.effects import Effect, Watch
from fleet.gateway.core.feed_watch import AGAIN_MS
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World

BOOK_MS = 500


class Listening(Agent):
    """Notes when a book came."""

    books_ms: list[int]

    def told(self, data: bytes) -> None:
        super().told(data)
        if b'"channel":"l2Book"' in data:
            self.books_ms.append(self.world.now_ms)


class Mute(World):
    """Books on a clock that can be stopped; who subscribes anew gets one in answer all the same."""

    speaks = True
    asked_ms: list[int]

    def book(self) -> None:
        levels = [[{"px": str(px), "sz": "1", "n": 1}] for px in (99_999, 100_001)]
        data = {"coin": "BTC", "time": self.now_ms, "levels": levels, "fast": True}
        self.frame(msgspec.json.encode({"channel": "l2Book", "data": data}))

    def tick_book(self) -> None:
        if self.speaks:
            self.book()

    def do(self, effects: Iterable[Effect]) -> None:
        effects = list(effects)
        super().do(effects)
        if any(isinstance(e, Watch) and e.on for e in effects) and not self.speaks:
            self.asked_ms.append(self.now_ms)
            self.after(100, self.book)


def heard(agent: Agent) -> list[tuple[str, bool]]:
    return [(f.state, f.feed) for f in agent.heard if isinstance(f, LinkFrame)]


def test_a_book_that_answers_a_question_ends_no_silence() -> None:
    world = Mute(seed=5)
    world.asked_ms = []
    agent = Listening(world, 1, "BTC")
    agent.books_ms = []
    world.every(BOOK_MS, world.tick_book)
    world.run(1_000)
    for fast in (True, False):
        told = {"type": "l2Book", "coin": "BTC"} | ({"fast": True} if fast else {})
        raw = msgspec.json.encode({"method": "subscribe", "subscription": told})
        world.do(world.core.said(1, raw, world.now_ms))
    world.run(10_000)
    assert len(agent.books_ms) > 15
    assert heard(agent) == [("up", False)]

    world.speaks, agent.books_ms = False, []
    world.run(3 * AGAIN_MS + 3_000)
    assert len(world.asked_ms) == 3, "it is asked for again and again"
    assert agent.books_ms == [], "and what answers is no market"
    assert heard(agent)[1:] == [("gap", True)], "one gap, and no end of it"

    world.speaks = True
    world.run(2 * BOOK_MS + 300)
    assert heard(agent)[1:] == [("gap", True), ("recovered", False)]
    assert agent.books_ms


def test_an_answer_that_never_came_costs_the_first_book_and_no_more() -> None:
    world = Mute(seed=5)
    feeds = world.state.feeds
    feeds.clocked("BTC", 0)
    feeds.gaps["BTC"] = (0, "no book")
    feeds.ask("BTC")
    feeds.clocked("BTC", 60_000)
    assert feeds.silent("BTC", 60_000)
    feeds.clocked("BTC", 60_500)
    assert not feeds.silent("BTC", 60_500)
