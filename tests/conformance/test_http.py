"""HTTP as other clients speak it: slashes, methods, content types, compression, old versions."""

import gzip
import json
import socket
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.venue import VenueProcess

MIDS = json.dumps({"type": "allMids"}).encode()
JSON = {"Content_Type": "application/json"}


@dataclass
class Answer:
    status: int
    headers: Message
    body: bytes


def ask(venue: VenueProcess, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """``headers`` with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(HTTPConnection(urlsplit(venue.url).netloc, timeout=10)) as connection:
        connection.request(method, path, body or None, named)
        with connection.getresponse() as found:
            return Answer(found.status, found.headers, found.read())


def talk(venue: VenueProcess, *sent: bytes) -> bytes:
    """All that comes back until the venue closes the connection."""
    address = urlsplit(venue.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as link:
        for each in sent:
            link.sendall(each)
        return b"".join(iter(lambda: link.recv(65_536), b""))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/info", {"Content_Type": "application/json"}),
        ("/info/", {"Content_Type": "application/json; charset=utf-8"}),
        ("/info?x=1", {"Content_Type": "APPLICATION/JSON", "Accept_Encoding": "gzip, br"}),
        ("/info", {"Content_Type": "application/json", "Origin": "https://app.example"}),
    ],
)
def test_requests_that_differ_only_in_form_are_answered_alike(
    venue: VenueProcess, path: str, headers: dict[str, str]
) -> None:
    answer = ask(venue, "POST", path, MIDS, **headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert "BTC" in json.loads(answer.body)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    assert allowed == ("*" if "Origin" in headers else None)


def test_a_compressed_body_is_read(venue: VenueProcess) -> None:
    headers = {"Content_Type": "application/json", "Content_Encoding": "gzip"}
    answer = ask(venue, "POST", "/info", gzip.compress(MIDS), **headers)
    assert "BTC" in json.loads(answer.body)


def test_a_browser_may_ask_first(venue: VenueProcess) -> None:
    answer = ask(venue, "OPTIONS", "/exchange", Origin="https://app.example")
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/info", 405),
        ("HEAD", "/exchange", 405),
        ("DELETE", "/info", 405),
        ("POST", "/elsewhere", 404),
        ("GET", "/", 404),
        ("GET", "/ws", 400),
        ("POST", "/ws", 405),
    ],
)
def test_only_what_exists_is_answered(
    venue: VenueProcess, method: str, path: str, code: int
) -> None:
    assert ask(venue, method, path).status == code


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_says_it_is_no_json_is_not_read(venue: VenueProcess, kind: str | None) -> None:
    headers = {} if kind is None else {"Content_Type": kind}
    answer = ask(venue, "POST", "/info", MIDS, **headers)
    assert answer.status == 415
    assert answer.body == b"Expected request with `Content-Type: application/json`"


def test_a_body_beyond_the_limit_is_refused(venue: VenueProcess) -> None:
    answer = ask(venue, "POST", "/info", b" " * 5_000_000, **JSON)
    assert answer.status == 413


def test_http_1_0_gets_its_answer_and_the_end(venue: VenueProcess) -> None:
    head = b"POST /info HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    answer = talk(venue, head % len(MIDS), MIDS)
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert "BTC" in json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_client_that_waits_to_be_asked_is_asked(venue: VenueProcess) -> None:
    head = b"POST /info HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(MIDS)
    answer = talk(venue, head, MIDS)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_connection_serves_many_requests_even_sent_at_once(venue: VenueProcess) -> None:
    status = json.dumps({"type": "exchangeStatus"}).encode()
    head = b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    one = head + b"Content-Length: %d\r\n\r\n" % len(status) + status
    last = head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(status) + status
    assert talk(venue, one * 9 + last).count(b'"specialStatuses":null') == 10


def test_chunks_are_put_together(venue: VenueProcess) -> None:
    head = b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, MIDS[at : at + 1]) for at in range(len(MIDS)))
    assert b'"BTC"' in talk(venue, head, chunks, b"0\r\n\r\n")


@pytest.mark.parametrize(
    "raw",
    [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"POST" * 9_000],
)
def test_what_is_no_http_ends_that_connection_alone(venue: VenueProcess, raw: bytes) -> None:
    answer: Any = talk(venue, raw + b"\r\n\r\n")
    assert not answer or b"400" in answer.split(b"\r\n")[0]
    assert ask(venue, "POST", "/info", MIDS, **JSON).status == 200
