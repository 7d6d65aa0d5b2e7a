"""A program halts and resumes over ``control.sock``, as ``fleet halt`` and ``fleet resume`` do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, UnixConnector

from agents.telemetry.logs import open_log
from fleet.gateway.api import ApiError, HaltRequest
from fleet.gateway.client import Unreachable
from fleet.supervisor import latching
from fleet.supervisor.actions import Actions
from fleet.supervisor.control import ControlApi, serve
from fleet.supervisor.loop import Loop
from fleet.supervisor.store import Store
from tests.unit.fleet.supervisor.world import World

TOKEN = {"Authorization": "Bearer right"}


class Program:
    """Speaks to the API of a loop that does not turn."""

    def __init__(self, session: ClientSession, world: World) -> None:
        self.session, self.world = session, world

    async def say(self, path: str, body: object) -> tuple[int, list[Any]]:
        """Status, and each line of the answer."""
        url, data = f"http://localhost{path}", msgspec.json.encode(body)
        async with self.session.post(url, data=data, headers=TOKEN) as answer:
            lines = (await answer.read()).splitlines()
            return answer.status, [msgspec.json.decode(line) for line in lines]


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    log = open_log(tmp_path / "log.jsonl")
    store, world = Store(tmp_path / "store.db"), World()
    loop = Loop(store, Actions(world), world, log, world.look)
    sock = tmp_path / "c.sock"
    runner = await serve(ControlApi("paper", store, loop, "right", log, lambda: b""), sock)
    async with ClientSession(connector=UnixConnector(path=str(sock))) as session:
        yield Program(session, world)
    await runner.cleanup()
    store.close()


async def test_a_halt_is_told_stage_by_stage_and_ends_with_its_report(program: Program) -> None:
    code, lines = await program.say("/v1/halt", {"reason": "news", "by": "bot", "all": True})
    assert code == 200
    assert [line.get("stage") for line in lines] == ["latched", None]
    assert lines[-1]["flat_of_orders"] is True
    assert program.world.calls == ["halt news by bot, all: True"]


async def test_a_halt_without_a_gateway_says_what_else_can_be_done(program: Program) -> None:
    program.world.gateway_up = False
    code, (refused,) = await program.say("/v1/halt", {"reason": "news"})
    assert (code, refused["error"]["code"], refused["error"]["exit"]) == (503, "unreachable", 7)
    assert "fleet halt --direct" in refused["error"]["mend"]


async def test_a_resume_is_refused_while_its_cause_stands_and_then_is_not(program: Program) -> None:
    program.world.resume_refused = ApiError("stands", 5, "no connection to the venue")
    code, (refused,) = await program.say("/v1/resume", {"reason": "calm"})
    assert (code, refused["error"]["exit"]) == (409, 5)
    program.world.resume_refused = None
    assert await program.say("/v1/resume", {"reason": "calm", "by": "bot"}) == (200, [{}])
    assert program.world.calls[-1] == "resume calm by bot"
    program.world.gateway_up = False
    assert (await program.say("/v1/resume", {"reason": "calm"}))[0] == 503


@pytest.mark.parametrize("body", [{}, {"reason": 1}, {"reason": "x", "everything": True}])
async def test_what_is_no_request_changes_nothing(program: Program, body: object) -> None:
    for path in ("/v1/halt", "/v1/resume"):
        code, (refused,) = await program.say(path, body)
        assert (code, refused["error"]["exit"]) == (400, 3)
    assert not program.world.calls


async def test_a_gateway_that_goes_away_in_the_middle_ends_the_answer_without_a_report() -> None:
    class Dying(World):
        def halt(self, request: HaltRequest) -> Any:
            yield {"stage": "latched", "reason": request.reason}
            raise Unreachable("gone")

    lines = [line async for line in latching.halt(Dying(), HaltRequest("news", "bot"))]
    assert [line.get("stage") for line in lines] == ["latched"]
