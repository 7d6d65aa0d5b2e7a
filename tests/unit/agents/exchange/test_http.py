"""Every way a request can fail, sorted by whether it may have happened; on a real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from agents.exchange import errors
from agents.exchange.http import Http


class Peer:
    """A server that answers as told, on loopback."""

    def __init__(self) -> None:
        self.status, self.body, self.cut = 200, b"null", False
        self.seen: list[tuple[str, bytes]] = []
        self.ports: list[int] = []

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.ports.append(request.transport.get_extra_info("peername")[1])
        self.seen.append((request.path, await request.read()))
        if self.cut:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=self.status, body=self.body)


@pytest.fixture
async def served() -> AsyncIterator[tuple[Peer, Http]]:
    peer = Peer()
    app = web.Application()
    app.router.add_post("/{path}", peer.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    http = Http(f"http://127.0.0.1:{port}/")
    yield peer, http
    await http.close()
    await runner.cleanup()


async def test_reads_and_writes_travel_as_json(served: tuple[Peer, Http]) -> None:
    peer, http = served
    peer.body = b'{"time":5}'
    assert await http.info({"type": "exchangeStatus"}) == {"time": 5}
    assert await http.exchange(b'{"action":{}}') == b'{"time":5}'
    assert peer.seen == [("/info", b'{"type":"exchangeStatus"}'), ("/exchange", b'{"action":{}}')]
    peer.body = b"null"
    assert await http.info({"type": "l2Book"}) is None


@pytest.mark.parametrize(
    ("status", "of_read", "of_write"),
    [
        (429, errors.RateLimited, errors.RateLimited),
        (422, errors.BadRequest, errors.BadRequest),
        (500, errors.Unreachable, errors.OutcomeUnknown),
        (502, errors.Unreachable, errors.OutcomeUnknown),
    ],
)
async def test_a_status_is_sorted_by_consequence(
    served: tuple[Peer, Http], status: int, of_read: type, of_write: type
) -> None:
    peer, http = served
    peer.status, peer.body = status, b"<html>busy</html>"
    with pytest.raises(of_read) as read:
        await http.info({"type": "meta"})
    with pytest.raises(of_write) as written:
        await http.exchange(b"{}")
    assert type(read.value) is of_read
    assert type(written.value) is of_write


async def test_a_connection_cut_after_sending_leaves_the_outcome_unknown(
    served: tuple[Peer, Http],
) -> None:
    peer, http = served
    peer.cut = True
    with pytest.raises(errors.OutcomeUnknown):
        await http.exchange(b"{}")
    with pytest.raises(errors.Unreachable):
        await http.info({"type": "meta"})
    assert len(peer.seen) == 2  # never sent twice


async def test_an_answer_that_is_no_json_is_malformed(served: tuple[Peer, Http]) -> None:
    peer, http = served
    peer.body = b"<html>"
    with pytest.raises(errors.MalformedFrame):
        await http.info({"type": "meta"})


async def test_no_peer_means_nothing_was_sent(unused_tcp_port: int) -> None:
    http = Http(f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(errors.Unreachable):
        await http.exchange(b"{}")
    with pytest.raises(errors.Unreachable):
        await http.info({"type": "meta"})
    await http.close()


async def test_what_is_no_address_is_unreachable() -> None:
    http = Http("not an address")
    with pytest.raises(errors.Unreachable):
        await http.exchange(b"{}")
    await http.close()


async def test_a_request_that_is_given_up_is_not_mistaken_for_an_answer(
    served: tuple[Peer, Http],
) -> None:
    _, http = served
    task = asyncio.create_task(http.exchange(b"{}"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_action_goes_over_a_connection_of_its_own(served: tuple[Peer, Http]) -> None:
    peer, http = served
    for _ in range(2):
        await http.info({"type": "meta"})
    for _ in range(2):
        await http.exchange(b"{}")
    kept, again, lone, other = peer.ports
    assert kept == again
    assert len({kept, lone, other}) == 3
    await http.renew()
    await http.info({"type": "meta"})
    assert peer.ports[-1] != kept
