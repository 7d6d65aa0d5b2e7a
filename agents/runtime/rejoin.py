"""Back to a gateway that was restarted: the same process asks to continue under its lease.

The socket closed without a word of farewell, so either the gateway died or we are cut off. Nothing
is sent meanwhile; who is not taken back within ``REJOIN_S`` has lost the lease.
"""

import asyncio
from pathlib import Path
from typing import Final

from agents.exchange.codec import GwFrame, decode_frame
from agents.exchange.downstream import Acquire, Continue, LeaseFrame, LeaseRefused, Revoked
from agents.exchange.errors import MalformedFrame, Unreachable
from agents.exchange.websocket import Connection, connect
from agents.runtime import outbound
from agents.runtime.departure import lease_gone

REJOIN_S: Final = 5.0
"""The gateway is back within 2 s, and waits for its holders for 3 s after that."""
RETRY_S: Final = 0.1
SOCKET_URL: Final = "ws://localhost/ws"
_NOT_YET: Final = "unready"


def continuing(acquired: Acquire, generation: int, event_ns: int) -> Continue:
    """The same process as ``acquired``; ``event_ns``: the last event that its engine handled."""
    return Continue(
        market=acquired.market,
        protocol=acquired.protocol,
        build=acquired.build,
        token=acquired.token,
        process=acquired.process,
        pid=acquired.pid,
        generation=generation,
        event_ns=event_ns,
    )


async def rejoin(sock: Path, ask: Continue, why: str) -> tuple[Connection, LeaseFrame]:
    """A new connection and the lease on it. Raises ``Leave`` (75) when refused or out of time."""
    last = why
    try:
        async with asyncio.timeout(REJOIN_S):
            while True:
                try:
                    connection = await connect(SOCKET_URL, unix_path=str(sock))
                except Unreachable as error:
                    last = str(error)
                else:
                    lease = await _ask(connection, ask)
                    if lease is not None:
                        return connection, lease
                    await connection.close()
                await asyncio.sleep(RETRY_S)
    except TimeoutError:
        text = f"the gateway closed the socket ({why}) and did not take us back: {last}"
        raise lease_gone(text) from None


async def _ask(connection: Connection, ask: Continue) -> LeaseFrame | None:
    """The lease; None where the gateway is not ready for an answer."""
    try:
        await connection.send(outbound.gateway_frame(ask))
    except Unreachable:
        return None
    async for raw in connection:
        try:
            frame = decode_frame(raw)
        except MalformedFrame:
            continue
        answer = frame.frame if isinstance(frame, GwFrame) else None
        if isinstance(answer, LeaseFrame):
            if answer.generation != ask.generation:
                raise lease_gone(f"asked to continue {ask.generation}, got {answer.generation}")
            return answer
        if isinstance(answer, LeaseRefused) and answer.reason != _NOT_YET:
            raise lease_gone(f"refused: {answer.reason}: {answer.text}")
        if isinstance(answer, Revoked):
            raise lease_gone(f"revoked: {answer.reason}")
    return None
