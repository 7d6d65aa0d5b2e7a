"""Requests to ``/info`` and ``/exchange``, each failure sorted by whether it may have happened."""

from typing import Any, Final

import aiohttp
import msgspec

from agents.exchange.errors import (
    ExchangeError,
    MalformedFrame,
    NotSent,
    OutcomeUnknown,
    Unreachable,
    from_status,
)

INFO_TIMEOUT_S: Final = 10.0
EXCHANGE_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 5.0
_JSON: Final = {"Content-Type": "application/json"}


class Http:
    """A client of one base URL, which keeps its connections; ``close`` it at the end."""

    __slots__ = ("_lone", "_session", "base_url")

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._lone: aiohttp.ClientSession | None = None

    async def info(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON of any shape)
        """The decoded answer to a read. Errors as ``info_raw``; ``MalformedFrame`` if not JSON."""
        raw = await self.info_raw(request)
        try:
            return msgspec.json.decode(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise MalformedFrame(f"/info answered no JSON: {raw[:80]!r}") from error

    async def info_raw(self, request: dict[str, Any]) -> bytes:
        """The answer to a read, as received.

        A read never acts, so every failure is a ``NotSent``: ``RateLimited``, ``BadRequest`` (the
        venue knows no such type or field), ``Unreachable`` (no connection, no answer, a 5xx).
        """
        try:
            if self._session is None:
                self._session = aiohttp.ClientSession(headers=_JSON)
            return await self._post(
                self._session, "/info", msgspec.json.encode(request), INFO_TIMEOUT_S
            )
        except NotSent:
            raise
        except ExchangeError as error:
            raise Unreachable(str(error)) from error

    async def exchange(self, body: bytes) -> bytes:
        """The venue's answer to a signed action, also when it says no (``status: err``).

        ``NotSent`` if nothing can have happened; ``OutcomeUnknown`` if the bytes may have left and
        no answer came: a time-out, a connection cut, a 5xx. Each goes over a connection of its
        own: one that was kept may have died without a word.
        """
        if self._lone is None:
            alone = aiohttp.TCPConnector(force_close=True)
            self._lone = aiohttp.ClientSession(headers=_JSON, connector=alone)
        return await self._post(self._lone, "/exchange", body, EXCHANGE_TIMEOUT_S)

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        await self.renew()
        session, self._lone = self._lone, None
        if session is not None:
            await session.close()

    async def renew(self) -> None:
        """Close what is kept for reads, and whatever is being read over it."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(
        self, session: aiohttp.ClientSession, path: str, body: bytes, timeout_s: float
    ) -> bytes:
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        url = self.base_url + path
        try:
            async with session.post(url, data=body, timeout=timeout) as response:
                raw = await response.read()
                if response.status != 200:
                    raise from_status(response.status, raw.decode(errors="replace"))
                return raw
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"cannot connect to {url}: {error}") from error
        except aiohttp.InvalidURL as error:
            raise Unreachable(f"{url!r} is no address") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(f"no answer from {url}: {error!r}") from error
