"""Reading a network's offer over real sockets, from venues that answer well, badly or not."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from fleet.cli import network
from fleet.cli.failure import Failure
from fleet.cli.network import Unheard, Wire


class _Venue(BaseHTTPRequestHandler):
    """Answers as the embedded exchange does, or what the test says."""

    protocol_version = "HTTP/1.1"
    status = 200
    body: bytes | None = None
    asked: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(request)
        body = network.paper()(request) if self.body is None else self.body
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def venue() -> Iterator[tuple[str, type[_Venue]]]:
    handler = type("Handler", (_Venue,), {"asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    serving.join()
    server.server_close()


def test_an_offer_is_the_same_over_the_wire(venue: tuple[str, type[_Venue]]) -> None:
    url, handler = venue
    offer = network.asked(url)
    assert offer.registry == network.paper_offered().registry
    assert offer.now["BTC"].mark_px == 84_000
    assert sum(request["type"] == "metaAndAssetCtxs" for request in handler.asked) == 5


def test_only_the_wanted_dexes_are_asked_for(venue: tuple[str, type[_Venue]]) -> None:
    url, handler = venue
    offer = network.asked(url, {"hyna"})
    assert {i.dex for i in offer.registry.instruments.values()} == {"hyna"}
    assert [dex.name for dex in offer.registry.dexes] == ["", "xyz", "flx", "hyna", "km"]
    assert [r["dex"] for r in handler.asked if "dex" in r] == ["hyna"]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (429, b"null", "it answered 429 to perpDexs"),
        (200, b"<html>", "the answer to perpDexs is not what the protocol says"),
        (200, b'{"a": 1}', "the answer to perpDexs is not what the protocol says"),
    ],
)
def test_a_venue_that_answers_badly_is_out_of_reach(
    venue: tuple[str, type[_Venue]], status: int, body: bytes, words: str
) -> None:
    url, handler = venue
    handler.status, handler.body = status, body
    with pytest.raises(Failure, match=words) as caught:
        network.asked(url)
    assert caught.value.exit_code == 7


def test_nobody_there() -> None:
    with pytest.raises(Unheard, match=r"http://127\.0\.0\.1:1: Connection refused"):
        Wire("http://127.0.0.1:1")({"type": "meta"})
