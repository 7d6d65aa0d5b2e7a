"""The client says who did not answer, and passes on why the gateway said no."""

import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest

from fleet.folder import Folder
from fleet.gateway.api import ApiError, HaltRequest
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path


class Answers(BaseHTTPRequestHandler):
    """Echoes the token; refuses what is asked of /no; streams a halt that ends or breaks off."""

    def do_GET(self) -> None:
        error = {"error": ApiError("halted", 5, "halted: storm", "fleet resume")}
        refused = self.path == "/no"
        body = error if refused else {"token": self.headers["Authorization"]}
        self._send(409 if refused else 200, msgspec.json.encode(body))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, b'{"stage":"latched","ms":0}\n{"halted":true}\n')

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "local"


@contextmanager
def serving(folder: Folder) -> Iterator[GatewayClient]:
    with socketserver.UnixStreamServer(str(folder.gateway_sock), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield GatewayClient(folder)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path / "fleet")
    folder.create()
    folder.token.write_text("secret\n")
    yield folder
    shutil.rmtree(folder.run)


def test_nobody_there(folder: Folder) -> None:
    with pytest.raises(Unreachable, match="no gateway answers"):
        GatewayClient(folder).status()


def test_the_token_goes_along_and_a_refusal_comes_back_whole(folder: Folder) -> None:
    with serving(folder) as client:
        assert client.get("/v1/any") == {"token": "Bearer secret"}
        with pytest.raises(ApiFailure) as refused:
            client.get("/no")
        assert refused.value.error == ApiError("halted", 5, "halted: storm", "fleet resume")


def test_a_halt_comes_line_by_line(folder: Folder) -> None:
    with serving(folder) as client:
        lines = list(client.halt(HaltRequest(reason="r", by="b")))
    assert lines == [{"stage": "latched", "ms": 0}, {"halted": True}]


def test_a_market_is_encoded_in_a_path() -> None:
    assert market_path("hyna:BTC", "pause") == "/v1/markets/hyna%3ABTC/pause"
    assert market_path("BTC") == "/v1/markets/BTC"
