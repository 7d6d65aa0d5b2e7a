"""Signed orders a second through the venue's doors at 32 connections, beside one signature (S)."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import msgspec
from coincurve import PrivateKey

from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.exchange.websocket import connect
from tests.bench.figures import Figures, per_call_s
from tests.conformance.venue import VenueProcess

CONNECTIONS = 32
ACTIONS = 2_400
ROUNDS = 3
SIGNERS = [L1Signer(bytes([7, number] * 16), mainnet=True) for number in range(1, CONNECTIONS + 1)]


def _bodies(first: int) -> list[list[bytes]]:
    """For each client its post-only orders far from the touch."""
    terms = {"a": 0, "b": True, "p": "60000", "s": "0.01", "r": False}
    order = {**terms, "t": {"limit": {"tif": "Alo"}}}
    action = {"type": "order", "orders": [order], "grouping": "na"}
    packed = pack(action)
    return [
        [
            msgspec.json.encode(exchange_body(action, nonce, signer.sign(packed, nonce)))
            for nonce in range(first, first + ACTIONS // CONNECTIONS)
        ]
        for signer in SIGNERS
    ]


def _signature_s() -> float:
    bare, digest = PrivateKey(bytes(range(1, 33))), bytes(range(32))
    return per_call_s(lambda: bare.sign_recoverable(digest, hasher=None), calls=200)


async def _timed(
    shares: list[list[bytes]], work: Callable[[list[bytes]], Awaitable[None]]
) -> float:
    """Seconds an action where each client works off its share, all at once."""
    began = time.perf_counter()
    await asyncio.gather(*(work(share) for share in shares))
    return (time.perf_counter() - began) / ACTIONS


async def _over_http(url: str, shares: list[list[bytes]]) -> float:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work(share: list[bytes]) -> None:
            headers = {"Content-Type": "application/json"}
            for body in share:
                async with session.post(f"{url}/exchange", data=body, headers=headers) as answer:
                    assert b'"ok"' in await answer.read()

        return await _timed(shares, work)


async def _over_websocket(url: str, shares: list[list[bytes]]) -> float:
    links = [await connect(url) for _ in range(CONNECTIONS)]
    free = iter(links)

    async def work(share: list[bytes]) -> None:
        link = next(free)
        frames = aiter(link)
        for number, body in enumerate(share):
            request = b'{"type":"action","payload":%b}' % body
            await link.send(b'{"method":"post","id":%d,"request":%b}' % (number, request))
            answer = await anext(frames)
            assert b'"ok"' in answer

    try:
        return await _timed(shares, work)
    finally:
        for link in links:
            await link.close()


def test_signed_orders_through_both_doors(figures: Figures) -> None:
    arguments = ["--latency-ms", "0", "--block-ms", "0"]
    for signer in SIGNERS:
        arguments += ["--fund", f"{signer.address}=1000000"]
    nonce = time.time_ns() // 1_000_000
    spent: dict[str, list[float]] = {"HTTP": [], "WS post": []}
    signature_s = _signature_s()
    for _ in range(ROUNDS):
        # A venue of its own each time: open orders of the round before would slow this one.
        venue = VenueProcess.start(*arguments)
        try:
            spent["HTTP"].append(asyncio.run(_over_http(venue.url, _bodies(nonce))))
            posts = _bodies(nonce + ACTIONS)
            spent["WS post"].append(asyncio.run(_over_websocket(venue.ws, posts)))
        finally:
            venue.kill()
    for door, ratio_max in (("HTTP", 25.0), ("WS post", 15.0)):
        figures.add(
            f"an order by {door}, {CONNECTIONS} connections",
            value_s=min(spent[door]),
            yardstick="S, bare secp256k1",
            yardstick_s=signature_s,
            ratio_max=ratio_max,
        )
