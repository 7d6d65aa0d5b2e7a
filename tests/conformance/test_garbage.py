"""Garbage: each is refused in its own way, and a client beside it notices nothing."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from agents.exchange.signing import L1Signer, exchange_body, pack
from tests.conformance.test_http import JSON, ask
from tests.conformance.venue import VenueProcess

SIGNER = L1Signer(bytes.fromhex("09" * 32), mainnet=True)
GROWTH_KB_MAX = 80_000
FLOOD = 300
PATHS = ("/info", "/exchange")
ROUNDS = 400


@pytest.fixture(scope="module")
def hardy() -> Iterator[VenueProcess]:
    """A venue of its own, without limits of an address: what is refused is refused for itself."""
    running = VenueProcess.start(
        "--fund", f"{SIGNER.address}=100000", "--latency-ms", "0", "--limits", "off"
    )
    yield running
    assert running.stop() == 0


@pytest.fixture(autouse=True)
def undisturbed(hardy: VenueProcess) -> Iterator[None]:
    """Beside each test a quiet client listens; afterwards it still hears, and memory is bounded."""
    before_kb = resident_kb(hardy)
    with connect(hardy.ws) as quiet:
        subscription = {"type": "allMids"}
        quiet.send(json.dumps({"method": "subscribe", "subscription": subscription}))
        yield
        quiet.send('{"method":"ping"}')
        while json.loads(quiet.recv(timeout=10)) != {"channel": "pong"}:
            pass
    assert "BTC" in hardy.post("/info", {"type": "allMids"})
    assert resident_kb(hardy) - before_kb < GROWTH_KB_MAX


def resident_kb(venue: VenueProcess) -> int:
    text = Path(f"/proc/{venue.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


def signed(action: object, number: int = 0) -> dict[str, Any]:
    nonce = time.time_ns() // 1_000_000 + number
    found = msgspec.to_builtins(exchange_body(action, nonce, SIGNER.sign(pack(action), nonce)))
    assert isinstance(found, dict)
    return found


def order(**changed: object) -> dict[str, Any]:
    terms: dict[str, Any] = {"a": 0, "b": True, "p": "60000", "s": "0.01", "r": False}
    return terms | {"t": {"limit": {"tif": "Alo"}}} | changed


def batch(*orders: object) -> dict[str, Any]:
    return {"type": "order", "orders": list(orders), "grouping": "na"}


def errors(link: ClientConnection, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        frame = json.loads(link.recv(timeout=10))
        if frame["channel"] == "error":
            found.append(frame["data"])
    return found


def test_random_bytes(hardy: VenueProcess) -> None:
    chance = random.Random(1)
    with connect(hardy.ws) as link:
        for _ in range(50):
            raw = chance.randbytes(chance.randrange(1, 2_000))
            assert ask(
                hardy, "POST", chance.choice(["/info", "/exchange"]), raw, **JSON
            ).status in {
                400,
                422,
            }
            link.send(raw)
        told = errors(link, 50)
    assert all(text.startswith("Error parsing JSON into valid websocket") for text in told)


def mutated(value: Any, chance: random.Random) -> Any:
    """The value with one of its leaves, or one of its keys, exchanged for something else."""
    odd: list[Any] = [None, True, -1, 2**70, 1.5, "", "x" * 99, "NaN", "1e400", "-0", [], {}, [[]]]
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], mutated(value[at], chance), *value[at + 1 :]]
    return chance.choice(odd)


def test_wrong_types_everywhere(hardy: VenueProcess) -> None:
    chance = random.Random(2)
    actions = [
        batch(order(), order(c="0x" + "1" * 32)),
        {"type": "cancel", "cancels": [{"a": 0, "o": 5}]},
        {"type": "batchModify", "modifies": [{"oid": 5, "order": order()}]},
        {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5},
    ]
    questions = [
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 5},
        {"type": "userFillsByTime", "user": SIGNER.address, "startTime": 0},
        {"type": "orderStatus", "user": SIGNER.address, "oid": 5},
        {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1m", "startTime": 0}},
    ]
    for _ in range(ROUNDS // 2):
        body = mutated(signed(chance.choice(actions)), chance)
        answer = ask(hardy, "POST", "/exchange", json.dumps(body).encode(), **JSON)
        assert answer.status in {200, 422}
        question = mutated(chance.choice(questions), chance)
        answer = ask(hardy, "POST", "/info", json.dumps(question).encode(), **JSON)
        assert answer.status in {200, 422}


def test_a_signed_action_of_a_wrong_shape_is_no_request(hardy: VenueProcess) -> None:
    for wrong in (order(a=-1), order(p=60000), order(s="0.01x"), order(t={}), order(b="true")):
        raw = json.dumps(signed(batch(wrong))).encode()
        answer = ask(hardy, "POST", "/exchange", raw, **JSON)
        assert answer.status == 422
        assert answer.body == b"Failed to deserialize the JSON body into the target type"


def test_a_huge_batch_is_answered_order_by_order(hardy: VenueProcess) -> None:
    answer = hardy.post("/exchange", signed(batch(*[order(s="0")] * 1_000)))
    statuses = answer["response"]["data"]["statuses"]
    assert len(statuses) in {1, 1_000}
    assert all("error" in status for status in statuses)


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000])
def test_deep_nesting(hardy: VenueProcess, raw: bytes) -> None:
    assert ask(hardy, "POST", "/info", raw, **JSON).status in {400, 422}
    deep = {"type": "order", "orders": json.loads("[" * 500 + "]" * 500), "grouping": "na"}
    nonce = time.time_ns() // 1_000_000
    body = {"action": deep, "nonce": nonce, "signature": {"r": "0x1", "s": "0x1", "v": 27}}
    assert ask(hardy, "POST", "/exchange", json.dumps(body).encode(), **JSON).status == 422
    with connect(hardy.ws) as link:
        link.send(raw)
        assert errors(link, 1)[0].startswith("Error parsing JSON")


def test_a_frame_beyond_the_limit_ends_that_connection(hardy: VenueProcess) -> None:
    with connect(hardy.ws) as link:
        with suppress(ConnectionClosed):
            link.send(" " * 6_000_000)
        with pytest.raises(ConnectionClosed):
            link.recv(timeout=10)


def test_ten_thousand_subscriptions(hardy: VenueProcess) -> None:
    coins = [row["name"] for row in hardy.post("/info", {"type": "meta"})["universe"]]
    kinds = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M")
    wanted = [
        {"type": "candle", "coin": coin, "interval": kind} for coin in coins for kind in kinds
    ]
    wanted += [
        {"type": "l2Book", "coin": coin, "nSigFigs": figures}
        for coin in coins
        for figures in (None, 2, 3, 4, 5)
    ]
    wanted += [{"type": kind, "coin": coin} for coin in coins for kind in ("bbo", "trades")]
    wanted += [{"type": "activeAssetCtx", "coin": coin} for coin in coins] * 12
    wanted = (wanted * 10)[:10_000]
    with connect(hardy.ws, max_size=None, max_queue=None) as link:
        for subscription in wanted:
            link.send(json.dumps({"method": "subscribe", "subscription": subscription}))
        link.send('{"method":"ping"}')
        heard: list[dict[str, Any]] = []
        while heard[-1:] != [{"channel": "pong"}]:
            heard.append(json.loads(link.recv(timeout=20)))
    told = [frame["data"] for frame in heard if frame["channel"] == "error"]
    accepted = sum(frame["channel"] == "subscriptionResponse" for frame in heard)
    assert accepted <= 1_000
    assert accepted + len(told) == len(wanted)
    limit = "Cannot track more than 1000 total subscriptions."
    assert all(text == limit or text.startswith("Already subscribed") for text in told)


def test_a_flood_of_bad_signatures(hardy: VenueProcess) -> None:
    chance = random.Random(3)
    with connect(hardy.ws) as link:
        for number in range(FLOOD):
            body = signed(batch(order()), number)
            body["signature"] = {
                "r": hex(chance.getrandbits(256)),
                "s": hex(chance.getrandbits(256)),
                "v": chance.choice([0, 1, 27, 28, 5]),
            }
            request = {"type": "action", "payload": body}
            link.send(json.dumps({"method": "post", "id": number, "request": request}))
        answers = 0
        while answers < FLOOD:
            frame = json.loads(link.recv(timeout=10))
            if frame["channel"] == "error":
                assert frame["data"].startswith("too many pending post requests id=")
            else:
                said = frame["data"]["response"]["payload"]
                assert said["status"] == "err"
                assert said["response"].startswith(("Unable to recover", "User or API Wallet 0x"))
            answers += 1
    assert hardy.post("/info", {"type": "openOrders", "user": SIGNER.address}) == []


async def test_half_open_connections_cost_little(hardy: VenueProcess) -> None:
    """Hundreds that say half a request and then nothing, while others are served."""
    address = urlsplit(hardy.url)
    opened = [await asyncio.open_connection(address.hostname, address.port) for _ in range(FLOOD)]
    for number, (_, writer) in enumerate(opened):
        head = b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(head[: 1 + number % len(head)])
        await writer.drain()
    assert hardy.post("/info", {"type": "exchangeStatus"})["specialStatuses"] is None
    for _, writer in opened:
        writer.close()


def test_clients_that_vanish_leave_nothing_behind(hardy: VenueProcess) -> None:
    for _ in range(20):
        with ExitStack() as stack:
            link = stack.enter_context(connect(hardy.ws))
            for coin in ("BTC", "ETH"):
                subscription = {"type": "l2Book", "coin": coin, "fast": True}
                link.send(json.dumps({"method": "subscribe", "subscription": subscription}))
            link.socket.close()
