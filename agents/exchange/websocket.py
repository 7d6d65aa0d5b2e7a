"""One WebSocket connection that speaks frames of text: to the venue, or to the gateway's socket.

It does not reconnect: who holds it knows what must be asked for again, and says so.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_tcp
from websockets.asyncio.client import unix_connect as connect_unix
from websockets.exceptions import ConnectionClosed, WebSocketException

from agents.exchange.errors import Unreachable

FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
"""A snapshot of 2000 fills, the largest frame we ask for, has about 1 MB."""
OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
PING_INTERVAL_S: Final = 20.0


class Connection:
    """An open connection; iterate it for frames, until the peer closes."""

    __slots__ = ("_socket",)

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, data: bytes | str) -> None:
        """Send one text frame; ``Unreachable`` if the connection is closed: nothing was sent."""
        try:
            await self._socket.send(data, text=True)
        except ConnectionClosed as error:
            raise Unreachable(f"the connection is closed: {error}") from error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Frames as received; ends when the connection does, for whatever reason."""
        try:
            while True:
                yield await self._socket.recv(decode=False)
        except ConnectionClosed:
            return

    async def close(self) -> None:
        """Close; also ends an iteration under way. Never raises, and may be called again."""
        await self._socket.close()

    def abort(self) -> None:
        """Drop it at once: a peer that is silent would not answer a close either."""
        self._socket.transport.abort()

    @property
    def close_reason(self) -> str:
        """Why it is closed, in the peer's words, or empty."""
        return self._socket.close_reason or ""


async def connect(
    url: str,
    *,
    unix_path: str | None = None,
    headers: Mapping[str, str] | None = None,
    ping_interval_s: float | None = PING_INTERVAL_S,
    open_timeout_s: float = OPEN_TIMEOUT_S,
) -> Connection:
    """Open a connection to ``url``, or to the Unix socket ``unix_path`` under that URL.

    ``ping_interval_s``: how often a silent peer is probed; None never. ``Unreachable`` if there is
    no peer, it does not answer in time, or it turns the handshake away.
    """
    where = unix_path or url
    try:
        if unix_path is not None:
            opening = connect_unix(
                unix_path,
                url,
                additional_headers=headers,
                compression=None,
                max_size=FRAME_BYTES_MAX,
                ping_interval=ping_interval_s,
                open_timeout=open_timeout_s,
                close_timeout=CLOSE_TIMEOUT_S,
            )
        else:
            opening = connect_tcp(
                url,
                additional_headers=headers,
                compression=None,
                max_size=FRAME_BYTES_MAX,
                ping_interval=ping_interval_s,
                open_timeout=open_timeout_s,
                close_timeout=CLOSE_TIMEOUT_S,
                proxy=None,
            )
        return Connection(await opening)
    except (OSError, TimeoutError, WebSocketException, ValueError) as error:
        raise Unreachable(f"cannot connect to {where}: {error}") from error
