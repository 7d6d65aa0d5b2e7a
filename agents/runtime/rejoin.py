"""Back to a gateway that was restarted: the same process asks to continue under its lease.

The socket closed without a word of farewell, so either the gateway died or we are cut off. Nothing
is sent meanwhile; who is not taken back within ``REJOIN_S`` has lost the lease.
"""

import asyncio
from pathlib import Path
from typing import Final

from agents.exchange.downstream import Continue, LeaseFrame
from agents.exchange.errors import Unreachable
from agents.exchange.websocket import Connection, connect
from agents.runtime import outbound
from agents.runtime.departure import Departure, Leave, lease_gone
from agents.runtime.reunion import REJOIN_S, RETRY_S, answer_to

SOCKET_URL: Final = "ws://localhost/ws"


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
        answer = answer_to(raw, ask)
        if isinstance(answer, Departure):
            raise Leave(answer.code, answer.reason)
        if answer is not None:
            return answer if isinstance(answer, LeaseFrame) else None
    return None
