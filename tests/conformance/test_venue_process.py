"""The venue as a process: its door's HTTP codes, its counters, its state, its end."""

import re
import socket
import urllib.error
from pathlib import Path

import msgspec
import pytest

from agents.exchange.signing import L1Signer, exchange_body, pack
from tests.conformance.venue import VenueProcess

KEY = bytes.fromhex("05" * 32)
LOOPBACK = "0100007F"


def body(action: object, nonce: int) -> dict[str, object]:
    signature = L1Signer(KEY, mainnet=True).sign(pack(action), nonce)
    found = msgspec.to_builtins(exchange_body(action, nonce, signature))
    assert isinstance(found, dict)
    return found


def order(px: str) -> dict[str, object]:
    terms = {"a": 0, "b": True, "p": px, "s": "0.01", "r": False, "t": {"limit": {"tif": "Alo"}}}
    return {"type": "order", "orders": [terms], "grouping": "na"}


@pytest.mark.parametrize(
    ("path", "sent", "code"),
    [
        ("/info", {"type": "nonsense"}, 422),
        ("/info", {}, 422),
        ("/info", [], 422),
        ("/info", b"{", 400),
        ("/exchange", {"action": {"type": "order"}}, 422),
        ("/exchange", b"", 400),
    ],
)
def test_the_door_answers_as_the_venue_does(
    venue: VenueProcess, path: str, sent: object, code: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        venue.post(path, sent)
    assert refused.value.code == code
    assert refused.value.headers["Content-Type"].startswith("text/plain")
    refused.value.close()


def test_requests_are_counted_by_kind(venue: VenueProcess) -> None:
    before = venue.stats()
    venue.post("/info", {"type": "meta"})
    venue.post("/exchange", body({"type": "noop"}, 1))
    after = venue.stats()
    assert after["info_requests"] == before["info_requests"] + 1
    assert after["exchange_requests"] == before["exchange_requests"] + 1
    assert after["block"] >= before["block"]


def test_nothing_listens_beyond_loopback(venue: VenueProcess) -> None:
    port = f"{int(venue.url.rpartition(':')[2]):04X}"
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = re.findall(rf"^\s*\d+: (\w+):{port} \w+:0000 0A", table, re.MULTILINE)
    assert listening == [LOOPBACK]


def test_a_restart_on_the_same_port_knows_the_orders(tmp_path: Path) -> None:
    address = L1Signer(KEY, mainnet=True).address
    arguments = ("--state", str(tmp_path), "--fund", f"{address}=1000", "--latency-ms", "0")
    first = VenueProcess.start(*arguments)
    asked = {"type": "openOrders", "user": address}
    try:
        nonce = first.post("/info", {"type": "exchangeStatus"})["time"]
        placed = first.post("/exchange", body(order("80000"), nonce))
        assert "resting" in placed["response"]["data"]["statuses"][0]
        orders = first.post("/info", asked)
        assert first.stop() == 0
    finally:
        first.kill()
    second = VenueProcess.start(*arguments, "--port", first.url.rpartition(":")[2])
    try:
        assert second.url == first.url
        assert second.post("/info", asked) == orders
        repeated = second.post("/exchange", body(order("80000"), nonce))
        assert repeated["response"].startswith("Invalid nonce: duplicate nonce")
        assert second.stop() == 0
    finally:
        second.kill()


def test_kill_dash_nine_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    address = L1Signer(KEY, mainnet=True).address
    arguments = ("--state", str(tmp_path), "--fund", f"{address}=1000000", "--latency-ms", "0")
    first = VenueProcess.start(*arguments)
    asked = [{"type": kind, "user": address} for kind in ("openOrders", "userFills")]
    try:
        nonce = first.post("/info", {"type": "exchangeStatus"})["time"]
        for number in range(5):
            placed = first.post("/exchange", body(order("80000"), nonce + number))
            assert "resting" in placed["response"]["data"]["statuses"][0]
        taking = order("120000")
        taking["orders"][0]["t"]["limit"]["tif"] = "Ioc"  # type: ignore[index]
        placed = first.post("/exchange", body(taking, nonce + 6))
        assert "filled" in placed["response"]["data"]["statuses"][0]
        told = [first.post("/info", each) for each in asked]
    finally:
        first.kill()
    second = VenueProcess.start(*arguments)
    try:
        assert [second.post("/info", each) for each in asked] == told
        assert len(told[0]) == 5
        assert told[1]
    finally:
        second.kill()


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=f"port {port} of 127.0.0.1: .*--port 0"):
            VenueProcess.start("--port", str(port))
