"""Many agents that ask cost the account few lists; each answer was made after its question."""

from typing import Any

import msgspec
import pytest

from fleet.gateway.core.effects import Ask
from fleet.gateway.core.questions import FRESH_MS, GIVE_UP_MS, HURRY_FOR_MS
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World

MARKETS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "hyna:BTC")


class Asking(Agent):
    """An agent that keeps the answers to its questions."""

    answers: dict[int, dict[str, Any]]

    def told(self, data: bytes) -> None:
        super().told(data)
        frame = msgspec.json.decode(data)
        if frame["channel"] == "post" and frame["data"]["response"]["type"] != "action":
            self.answers[frame["data"]["id"]] = frame["data"]["response"]

    def ask(self, **payload: object) -> int:
        self._request += 1
        frame = {"method": "post", "id": self._request,
                 "request": {"type": "info", "payload": payload}}  # fmt: skip
        raw = msgspec.json.encode(frame)
        self.world.do(self.world.core.said(self.session, raw, self.world.now_ms))
        return self._request


class Counting(World):
    """Counts what is asked of the venue."""

    asked: list[str]

    def _ask(self, effect: Ask) -> None:
        self.asked.append(str(effect.payload["type"]))
        super()._ask(effect)


@pytest.fixture
def world() -> Counting:
    Counting.asked = []
    return Counting(seed=3, markets=MARKETS)


def asking(world: World) -> list[Asking]:
    found = []
    for number, market in enumerate(MARKETS, 1):
        agent = Asking(world, number, market)
        agent.answers = {}
        found.append(agent)
    world.run(500)
    return found


def test_one_list_answers_all_who_hurry(world: Counting) -> None:
    agents = asking(world)
    asked = [(agent, agent.ask(type="frontendOpenOrders")) for agent in agents]
    world.run(1_500)
    assert all(number in agent.answers for agent, number in asked)
    assert world.asked.count("frontendOpenOrders") == 2, "one a DEX"


def test_a_push_answers_for_nothing_but_not_one_that_may_be_older(world: Counting) -> None:
    agents = asking(world)
    world.run(HURRY_FOR_MS + 1_000)
    world.asked.clear()
    for agent in agents:
        world.every(100, agent.trade)
    world.run(2_000)
    number, began_ms = agents[0].ask(type="frontendOpenOrders"), world.now_ms
    took_ms = world.run_until(lambda: number in agents[0].answers, GIVE_UP_MS)
    assert took_ms >= FRESH_MS - 100
    assert world.now_ms > began_ms
    assert world.asked.count("frontendOpenOrders") == 0
    rows = agents[0].answers[number]["payload"]["data"]
    assert {row["coin"] for row in rows} <= {agents[0].market}


def test_fills_are_asked_for_once_from_the_earliest_moment_anyone_needs(world: Counting) -> None:
    agents = asking(world)
    since = world.now_ms
    asked = [
        (agent, agent.ask(type="userFillsByTime", startTime=since - 1_000 * at))
        for at, agent in enumerate(agents)
    ]
    world.run(1_500)
    assert all(number in agent.answers for agent, number in asked)
    assert world.asked.count("userFillsByTime") == 1


def test_who_is_gone_is_not_answered_and_who_waits_too_long_is_told(world: Counting) -> None:
    agents = asking(world)
    gone, stays = agents[:2]
    world.state.weights.add(1_200, world.now_ms)
    gone.ask(type="userFillsByTime", startTime=0)
    number = stays.ask(type="userFillsByTime", startTime=0)
    world.disconnect(gone.session)
    world.run(GIVE_UP_MS + 500)
    assert gone.answers == {}
    assert stays.answers[number] == {"type": "error", "payload": "429 Too Many Requests"}
    assert "userFillsByTime" not in world.asked
