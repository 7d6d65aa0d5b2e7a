"""The control API as the CLI speaks it: over a socket, behind the token."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, UnixConnector

from agents.telemetry.logs import open_log
from fleet.manifests.spec import FleetSpec, RolloutSpec
from fleet.supervisor.actions import Actions
from fleet.supervisor.control import ControlApi, serve
from fleet.supervisor.loop import Loop
from fleet.supervisor.rollout import Judged, Rollout
from fleet.supervisor.store import Store
from tests.unit.fleet.supervisor.world import World
from tests.unit.fleet.views import LATCH, fleet_risk, spec, status

Answer = tuple[int, Any]


class Client:
    """Asks the API of a loop that does not turn."""

    def __init__(self, session: ClientSession, loop: Loop, store: Store, world: World) -> None:
        self._session = session
        self.world = world
        self.loop = loop
        self.store = store

    async def ask(self, verb: str, path: str, body: object = None, token: str = "right") -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        data = msgspec.json.encode(body)
        url = f"http://localhost{path}"
        async with self._session.request(verb, url, data=data, headers=headers) as answer:
            return answer.status, msgspec.json.decode(await answer.read())

    async def raw(self, path: str) -> tuple[int, bytes, str]:
        headers = {"Authorization": "Bearer right"}
        async with self._session.get(f"http://localhost{path}", headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers["Content-Type"]

    async def apply(self, manifest: FleetSpec, **more: object) -> Answer:
        return await self.ask("POST", "/v1/apply", {"manifest": manifest, "by": "ann", **more})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    log = open_log(tmp_path / "log.jsonl")
    store, world = Store(tmp_path / "store.db"), World()
    loop = Loop(store, Actions(world), world, log, world.look)
    sock = tmp_path / "c.sock"
    runner = await serve(ControlApi("paper", store, loop, "right", log, lambda: b"up 1\n"), sock)
    assert stat.S_IMODE(sock.stat().st_mode) == 0o600
    async with ClientSession(connector=UnixConnector(path=str(sock))) as session:
        yield Client(session, loop, store, world)
    await runner.cleanup()
    store.close()


async def test_a_plan_changes_nothing_and_an_apply_of_it_does(client: Client) -> None:
    code, plan = await client.ask("POST", "/v1/plan", {"manifest": spec("BTC")})
    assert (code, [(s["market"], s["class"]) for s in plan["steps"]]) == (200, [("BTC", "start")])
    assert client.store.current() is None
    code, done = await client.apply(spec("BTC"), plan_id=plan["plan_id"], only=None)
    assert (code, done) == (202, {"revision": 1})
    assert client.store.markets()["BTC"].desired
    assert await client.apply(spec("BTC")) == (200, {"revision": 1})


async def test_a_plan_that_is_no_longer_true_is_refused(client: Client) -> None:
    _, plan = await client.ask("POST", "/v1/plan", {"manifest": spec("BTC")})
    await client.apply(spec("ETH"))
    code, refused = await client.apply(spec("BTC"), plan_id=plan["plan_id"])
    assert (code, refused["error"]["code"]) == (409, "stale_plan")


async def test_a_limit_rises_only_with_permission(client: Client) -> None:
    await client.apply(spec("BTC"))
    raised = spec("BTC", risk=fleet_risk(daily_loss_max_usd=900.0))
    code, refused = await client.apply(raised)
    assert (code, refused["error"]["code"], refused["error"]["exit"]) == (409, "risk_increase", 3)
    assert (await client.apply(raised, allow=["risk-increase"]))[0] == 202


async def test_one_market_alone(client: Client) -> None:
    await client.apply(spec("BTC"))
    assert await client.apply(spec("ETH", "SOL"), only="SOL") == (202, {"revision": 2})
    rows = client.store.markets()
    assert {market: row.revision for market, row in rows.items()} == {"BTC": 1, "SOL": 2}


async def test_a_halted_fleet_takes_no_apply(client: Client) -> None:
    client.loop.status = status(halt=LATCH)
    code, refused = await client.apply(spec("BTC"))
    assert (code, refused["error"]["exit"]) == (409, 5)
    assert client.store.current() is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"manifest": {"fleet": "paper"}, "by": "ann"},
        {"manifest": spec("BTC", fleet="other"), "by": "ann"},
    ],
)
async def test_what_is_no_manifest_of_this_fleet_is_refused(client: Client, body: object) -> None:
    code, refused = await client.ask("POST", "/v1/apply", body)
    assert (code, refused["error"]["exit"]) == (400, 3)


async def test_nothing_is_answered_without_the_token(client: Client) -> None:
    for verb, path in (("GET", "/healthz"), ("POST", "/v1/down"), ("GET", "/v1/history")):
        assert (await client.ask(verb, path, {}, token="wrong"))[0] == 401


async def test_history_names_who_and_what(client: Client) -> None:
    await client.apply(spec("BTC"))
    await client.apply(spec("BTC", "ETH"))
    _, told = await client.ask("GET", "/v1/history")
    assert [(r["rev"], r["by"]) for r in told["revisions"]] == [(2, "ann"), (1, "ann")]
    assert len({r["digest"] for r in told["revisions"]}) == 2
    assert [a["verb"] for a in told["audit"]] == ["apply", "apply"]


async def test_health_is_a_loop_that_turns(client: Client) -> None:
    assert (await client.ask("GET", "/healthz"))[0] == 200
    client.loop.turned_s -= 6.0
    assert (await client.ask("GET", "/healthz"))[0] == 503


async def test_health_says_what_the_loop_does_not_see(client: Client) -> None:
    assert (await client.ask("GET", "/healthz"))[1]["blind"] is None
    client.world.gateway_up = False
    turning = asyncio.create_task(client.loop.run())
    told: Any = None
    async with asyncio.timeout(5):
        while told is None:
            told = (await client.ask("GET", "/healthz"))[1]["blind"]
    turning.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await turning
    assert told["what"] == "gateway"
    assert "Unreachable" in told["cause"]


async def test_an_agent_explains_itself_and_who_is_not_there_does_not(client: Client) -> None:
    path = "/v1/markets/hyna%3ABTC/explain"
    code, refused = await client.ask("GET", path)
    assert (code, refused["error"]["code"]) == (404, "unknown_market")
    await client.apply(spec("hyna:BTC"))
    code, refused = await client.ask("GET", path)
    assert (code, refused["error"]["code"], refused["error"]["exit"]) == (409, "no_agent", 4)
    client.world.start_agent("hyna:BTC")
    assert await client.ask("GET", path) == (200, {"market": "hyna:BTC"})
    client.world.cluster_up = False
    code, refused = await client.ask("GET", path)
    assert (code, refused["error"]["code"], refused["error"]["exit"]) == (503, "no_answer", 7)


async def test_down_desires_nothing_any_more(client: Client) -> None:
    await client.apply(spec("BTC"))
    async with asyncio.timeout(5):
        code, _ = await client.ask("POST", "/v1/down", {})
    assert code == 200
    assert not client.store.markets()["BTC"].desired


async def test_a_stale_socket_file_is_replaced(client: Client, tmp_path: Path) -> None:
    sock = tmp_path / "c.sock"
    log = open_log(tmp_path / "log.jsonl")
    again = await serve(
        ControlApi("paper", client.store, client.loop, "right", log, lambda: b"up 1\n"), sock
    )
    assert sock.is_socket()
    await again.cleanup()


async def test_a_rollback_is_a_new_revision_under_the_lesser_limits(client: Client) -> None:
    await client.apply(spec("BTC", "ETH", risk=fleet_risk(daily_loss_max_usd=900.0)))
    await client.apply(spec("BTC", risk=fleet_risk(daily_loss_max_usd=100.0)))
    code, dry = await client.ask("POST", "/v1/rollback", {"by": "bob", "dry": True})
    assert (code, dry["revision"], dry["to"]) == (200, 2, 1)
    assert [(s["market"], s["class"]) for s in dry["steps"]] == [("ETH", "start")]
    body = {"by": "bob", "plan_id": dry["plan_id"]}
    code, done = await client.ask("POST", "/v1/rollback", body)
    assert (code, done["revision"], done["to"]) == (202, 3, 1)
    assert client.store.markets()["ETH"].desired
    newest = client.store.audits()[0]
    assert (newest.by, newest.verb, newest.detail) == ("bob", "rollback", "to 1, as revision 3")
    code, stale = await client.ask("POST", "/v1/rollback", body)
    assert (code, stale["error"]["code"]) == (409, "stale_plan")


async def test_a_rollback_to_what_never_was_is_refused(client: Client) -> None:
    for rev in (None, 0, 1, 7):
        code, refused = await client.ask("POST", "/v1/rollback", {"by": "bob", "rev": rev})
        assert (code, refused["error"]["code"]) == (404, "unknown_revision")
    await client.apply(spec("BTC"))
    code, refused = await client.ask("POST", "/v1/rollback", {"by": "bob", "rev": 1})
    assert (code, refused["error"]["exit"]) == (404, 3)


async def test_a_halted_fleet_is_not_rolled_back(client: Client) -> None:
    await client.apply(spec("BTC"))
    await client.apply(spec("ETH"))
    client.loop.status = status(halt=LATCH)
    code, refused = await client.ask("POST", "/v1/rollback", {"by": "bob"})
    assert (code, refused["error"]["code"]) == (409, "halted")


async def test_metrics_are_prometheus_text(client: Client) -> None:
    code, body, kind = await client.raw("/metrics")
    assert (code, body) == (200, b"up 1\n")
    assert kind.startswith("text/plain; version=")


def canaried(leverage: int, **how: object) -> FleetSpec:
    made = spec("BTC", "ETH", rollout=RolloutSpec(canary=("BTC",), **how))  # type: ignore[arg-type]
    markets = {
        name: msgspec.structs.replace(each, leverage=leverage)
        for name, each in made.markets.items()
    }
    return msgspec.structs.replace(made, markets=markets)


def revisions(client: Client) -> dict[str, int]:
    return {market: row.revision for market, row in client.store.markets().items()}


async def test_a_canary_goes_first_and_the_rest_is_no_change_meanwhile(client: Client) -> None:
    await client.apply(canaried(3))
    assert revisions(client) == {"BTC": 1}, "what did not run waits until the canary quotes"
    client.loop.conductor._end(*fresh(client))
    assert revisions(client) == {"BTC": 1, "ETH": 1}
    assert (await client.apply(canaried(5), allow=["risk-increase"]))[0] == 202
    assert revisions(client) == {"BTC": 2, "ETH": 1}
    assert await client.apply(canaried(5)) == (200, {"revision": 2})
    _, told = await client.ask("GET", "/v1/rollout")
    assert (told["rollout"]["stage"], told["rollout"]["base"]) == ("canary", 1)


def fresh(client: Client) -> tuple[Rollout, Judged, tuple[str, ...], int]:
    rollout = client.loop.conductor.book.last()
    assert rollout is not None
    assert rollout.fresh
    return rollout, Judged("wave", "BTC quote"), ("BTC",), 1


async def test_after_a_pause_the_same_manifest_begins_anew(client: Client) -> None:
    await client.apply(canaried(3))
    client.loop.conductor._end(*fresh(client))
    await client.apply(canaried(5), allow=["risk-increase"])
    rollout = client.loop.conductor.book.last()
    assert rollout is not None
    client.loop.conductor._end(rollout, Judged("paused", "a gate"), ("BTC",), 2)
    assert (await client.apply(canaried(5), allow=["risk-increase"]))[0] == 202
    assert revisions(client) == {"BTC": 2, "ETH": 3}, "BTC has it already: only ETH is left"
