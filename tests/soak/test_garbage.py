"""Garbage for long: a reader that never reads, and an hour's worth of broken requests."""

import json
import random
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.conformance.test_garbage import (
    GROWTH_KB_MAX,
    SIGNER,
    batch,
    mutated,
    order,
    resident_kb,
    signed,
)
from tests.conformance.test_http import JSON, ask
from tests.conformance.venue import VenueProcess

ROUNDS = 30_000


@pytest.fixture
def hardy() -> Iterator[VenueProcess]:
    running = VenueProcess.start(
        "--fund", f"{SIGNER.address}=100000", "--latency-ms", "0", "--limits", "off"
    )
    yield running
    assert running.stop() == 0


def test_a_slow_reader_is_cut_off_and_costs_little(hardy: VenueProcess) -> None:
    """It asks for more and more and reads nothing: its own connection ends."""
    address = urlsplit(hardy.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        link.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        request = {"type": "info", "payload": {"type": "metaAndAssetCtxs"}}
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            _flood(link, request)


def _flood(link: socket.socket, request: object) -> None:
    for number in range(1_000_000):
        link.sendall(_masked({"method": "post", "id": number, "request": request}))


def _masked(message: object) -> bytes:
    """A text frame of a client, under the mask 0."""
    raw = json.dumps(message).encode()
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(raw)) + bytes(4) + raw


def test_broken_requests_for_long(hardy: VenueProcess) -> None:
    chance = random.Random(4)
    before_kb = resident_kb(hardy)
    for number in range(ROUNDS):
        body = mutated(signed(batch(order(), order()), number), chance)
        answer = ask(hardy, "POST", "/exchange", json.dumps(body).encode(), **JSON)
        assert answer.status in {200, 422}
    assert "BTC" in hardy.post("/info", {"type": "allMids"})
    assert resident_kb(hardy) - before_kb < GROWTH_KB_MAX
