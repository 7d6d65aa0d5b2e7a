"""Faults as a client meets them: over HTTP and WebSocket, and gone again when lifted."""

import json
import time
import urllib.error
from collections.abc import Iterator
from http.client import RemoteDisconnected
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from agents.exchange.signing import L1Signer, exchange_body, pack
from tests.conformance.venue import VenueProcess

SIGNER = L1Signer(bytes.fromhex("0123456789abcdef" * 4), mainnet=True)


@pytest.fixture
def faulty(venue: VenueProcess) -> Iterator[VenueProcess]:
    yield venue
    venue.post("/admin/faults", {})


@pytest.fixture
def link(venue: VenueProcess) -> Iterator[ClientConnection]:
    with connect(venue.ws, proxy=None) as opened:
        yield opened


def body(action: object) -> dict[str, Any]:
    nonce = time.time_ns() // 1_000_000
    found = msgspec.to_builtins(exchange_body(action, nonce, SIGNER.sign(pack(action), nonce)))
    assert isinstance(found, dict)
    return found


def order(tif: str = "Alo") -> dict[str, Any]:
    terms = {
        "a": 0,
        "b": True,
        "p": "60000",
        "s": "0.01",
        "r": False,
        "t": {"limit": {"tif": tif}},
    }
    return {"type": "order", "orders": [terms], "grouping": "na"}


def heard(link: ClientConnection) -> Any:
    return json.loads(link.recv(timeout=10))


def open_count(venue: VenueProcess) -> int:
    return len(venue.post("/info", {"type": "openOrders", "user": SIGNER.address}))


def test_a_held_placement_opens_late_and_a_cancel_does_not_wait(faulty: VenueProcess) -> None:
    faulty.post("/admin/faults", {"hold_placements_s": 1.0})
    start_s = time.monotonic()
    faulty.post("/exchange", body({"type": "noop"}))
    swift_s = time.monotonic() - start_s
    answer = faulty.post("/exchange", body(order()))
    held_s = time.monotonic() - start_s - swift_s
    assert answer["status"] == "ok"
    assert held_s > 1.0


def test_a_lost_answer_leaves_the_order_placed(faulty: VenueProcess) -> None:
    before = open_count(faulty)
    faulty.post("/admin/faults", {"drop_answers_share": 1.0})
    with pytest.raises(RemoteDisconnected):
        faulty.post("/exchange", body(order()))
    assert open_count(faulty) == before + 1
    assert faulty.get("/admin/faults")["happened"]["dropped"] >= 1


@pytest.mark.parametrize(("code", "start"), [(429, b"null"), (502, b"<html>")])
def test_a_burst_looks_as_the_venues_own(
    faulty: VenueProcess, link: ClientConnection, code: int, start: bytes
) -> None:
    faulty.post("/admin/faults", {"status_burst": {"code": code, "s": 60}})
    with pytest.raises(urllib.error.HTTPError) as refused:
        faulty.post("/info", {"type": "meta"})
    assert refused.value.code == code
    assert refused.value.read().startswith(start)
    refused.value.close()
    payload = {"type": "info", "payload": {"type": "meta"}}
    link.send(json.dumps({"method": "post", "id": 3, "request": payload}))
    response = heard(link)["data"]["response"]
    assert response["type"] == "error"
    assert response["payload"].startswith(f"{code} ")


def test_connections_are_cut_once(faulty: VenueProcess, link: ClientConnection) -> None:
    faulty.post("/admin/faults", {"cut_connections": True})
    with pytest.raises(ConnectionClosed):
        heard(link)
    with connect(faulty.ws, proxy=None) as again:
        again.send('{"method":"ping"}')
        assert heard(again) == {"channel": "pong"}


def test_a_frozen_connection_is_silent_and_lives_on(
    faulty: VenueProcess, link: ClientConnection
) -> None:
    faulty.post("/admin/faults", {"freeze_connections_s": 0.5})
    link.send('{"method":"ping"}')
    with pytest.raises(TimeoutError):
        link.recv(timeout=0.2)
    assert heard(link) == {"channel": "pong"}


def test_nonsense_is_refused_with_a_reason(faulty: VenueProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        faulty.post("/admin/faults", {"hold": 1})
    assert refused.value.code == 400
    assert b"hold" in refused.value.read()
    refused.value.close()


def test_after_an_upgrade_only_post_only_orders_are_taken(faulty: VenueProcess) -> None:
    faulty.post("/admin/faults", {"post_only": True})
    (refused,) = faulty.post("/exchange", body(order("Gtc")))["response"]["data"]["statuses"]
    assert refused["error"].startswith("Only post-only orders allowed immediately after")
    (taken,) = faulty.post("/exchange", body(order("Alo")))["response"]["data"]["statuses"]
    assert "resting" in taken
    assert faulty.post("/info", {"type": "exchangeStatus"})["specialStatuses"]
    faulty.post("/admin/faults", {})
    assert faulty.post("/info", {"type": "exchangeStatus"})["specialStatuses"] is None


def test_the_operator_caps_and_ends_a_market(faulty: VenueProcess) -> None:
    def at_cap() -> list[str]:
        found: list[str] = faulty.post("/info", {"type": "perpsAtOpenInterestCap"})
        return found

    faulty.post("/admin/oi_cap", {"coin": "LTC", "usd": "0"})
    assert at_cap() == ["LTC"]
    faulty.post("/admin/oi_cap", {"coin": "LTC"})
    assert at_cap() == []
    faulty.post("/admin/delist", {"coin": "LTC"})
    rows = faulty.post("/info", {"type": "meta"})["universe"]
    assert [row.get("isDelisted") for row in rows if row["name"] == "LTC"] == [True]
    with pytest.raises(urllib.error.HTTPError) as refused:
        faulty.post("/admin/delist", {"coin": "NONE"})
    assert b"not listed here" in refused.value.read()
    refused.value.close()
