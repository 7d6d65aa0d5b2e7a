"""Sinks against a real HTTP server and real commands: retried, bounded, silent about secrets."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fleet.alerts.desk import Notice
from fleet.alerts.sinks import Sink, Undelivered, payload, post, run_command

NOTICE = Notice("raised", "critical", "halt", "halted by ann: test", "", 1, 2)


class Ear:
    """A server that answers with the statuses it is given, 200 once they are spent."""

    def __init__(self, *statuses: int) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.headers: list[Any] = []
        left = list(statuses)
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.heard.append((self.path, json.loads(body)))
                ear.headers.append(self.headers)
                self.send_response(left.pop(0) if left else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def ear(request: pytest.FixtureRequest) -> Iterator[Ear]:
    made = Ear(*getattr(request, "param", ()))
    yield made
    made.close()


def until(fact: Callable[[], object], within_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline_s, "not in time"
        time.sleep(0.01)


class Said:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(self, event: str, **facts: Any) -> None:
        self.lines.append({"event": event, **facts})


def test_a_webhook_gets_json_whose_text_says_it_all(ear: Ear) -> None:
    post(f"{ear.url}/services/T0/secret", payload(NOTICE, "prod", "mainnet"))
    ((path, told),) = ear.heard
    assert path == "/services/T0/secret"
    assert told["text"] == "[critical] mainnet/prod: halted by ann: test"
    assert (told["event"], told["severity"], told["state"], told["fleet"]) == (
        "halt", "critical", "raised", "prod",
    )  # fmt: skip
    assert ear.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("ear", [(500, 503)], indirect=True)
def test_a_server_that_fails_is_tried_again_until_it_takes_it(ear: Ear) -> None:
    said = Said()
    sink = Sink("webhook", lambda line: post(ear.url, line), said, retry_s=(0.01, 0.01, 0.01))
    sink.put(payload(NOTICE, "prod", "paper"))
    until(lambda: len(ear.heard) == 3)
    sink.close()
    assert said.lines == []


def test_nobody_there_is_said_without_the_secret_and_holds_up_nothing() -> None:
    said = Said()
    url = "http://127.0.0.1:9/services/T0/verysecret?token=verysecret"
    sink = Sink("webhook", lambda line: post(url, line), said, retry_s=(0.01,))
    for _ in range(3):
        sink.put(b"{}")
    until(lambda: len(said.lines) == 3)
    sink.close()
    assert {line["event"] for line in said.lines} == {"alert.undelivered"}
    assert said.lines[0]["tries"] == 2
    assert "127.0.0.1" in said.lines[0]["why"]
    assert "verysecret" not in str(said.lines)


@pytest.mark.parametrize("ear", [(404,)], indirect=True)
def test_a_refusal_names_host_and_status_alone(ear: Ear) -> None:
    with pytest.raises(Undelivered, match=r"^127\.0\.0\.1: HTTP 404$"):
        post(f"{ear.url}/secret", b"{}")
    with pytest.raises(Undelivered, match="not an address of http"):
        post("file:///etc/passwd", b"{}")


def test_a_full_queue_drops_and_says_so() -> None:
    said, gate = Said(), threading.Event()

    def slow(_line: bytes) -> None:
        gate.wait(5.0)

    sink = Sink("webhook", slow, said)
    for _ in range(110):
        sink.put(b"{}")
    assert said.lines
    assert said.lines[0]["event"] == "alert.dropped"
    sink.close()
    gate.set()


def test_a_command_gets_the_line_on_its_stdin(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    write = f"import sys; open({str(heard)!r}, 'w').write(sys.stdin.read())"
    run_command((sys.executable, "-c", write), payload(NOTICE, "prod", "paper"))
    assert json.loads(heard.read_text())["what"] == "halted by ann: test"


def test_commands_that_fail_hang_or_are_not_there() -> None:
    with pytest.raises(Undelivered, match="exit 3"):
        run_command((sys.executable, "-c", "raise SystemExit(3)"), b"{}")
    with pytest.raises(Undelivered, match="No such file"):
        run_command(("/nonexistent",), b"{}")
    with pytest.raises(Undelivered, match="not done within"):
        run_command((sys.executable, "-c", "import time; time.sleep(9)"), b"{}", timeout_s=0.2)
