"""The gateway's API for supervisor, risk and CLI: the standard library over the Unix socket."""

import http.client
import socket
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import msgspec

from fleet.folder import Folder
from fleet.gateway.api import ApiError, GatewayStatus, HaltRequest

TIMEOUT_S: Final = 5.0
HALT_TIMEOUT_S: Final = 30.0
_status = msgspec.json.Decoder(GatewayStatus).decode


class Unreachable(Exception):
    """No gateway answers on the fleet's socket."""


class ApiFailure(Exception):
    """The gateway said no; ``error`` says what, the exit code and the mend."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.text)
        self.error = error


class _Failure(msgspec.Struct, frozen=True):
    error: ApiError


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class GatewayClient:
    """One fleet's gateway. Every call opens a connection of its own and may come from any thread.

    Raises ``Unreachable`` where nobody answers, ``ApiFailure`` where the gateway says no.
    """

    def __init__(self, folder: Folder, timeout_s: float = TIMEOUT_S) -> None:
        self._path = str(folder.gateway_sock)
        self._token = folder.token
        self._timeout_s = timeout_s

    def status(self) -> GatewayStatus:
        """Everything of this moment."""
        return _status(self._call("GET", "/v1/status", None))

    def get(self, path: str) -> Any:  # noqa: ANN401  (JSON of any shape)
        return _decoded(self._call("GET", path, None))

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401
        return _decoded(self._call("POST", path, body))

    def put(self, path: str, body: object) -> Any:  # noqa: ANN401
        return _decoded(self._call("PUT", path, body))

    def delete(self, path: str) -> Any:  # noqa: ANN401
        return _decoded(self._call("DELETE", path, None))

    def halt(self, request: HaltRequest) -> Iterator[dict[str, Any]]:
        """A line a stage while the halt runs; the last one is the ``HaltReport``."""
        connection, response = self._open("POST", "/v1/halt", request, HALT_TIMEOUT_S)
        try:
            if response.status != http.client.OK:
                raise _failure(response.status, response.read())
            while line := response.readline():
                if line.strip():
                    yield msgspec.json.decode(line)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the gateway went away during the halt: {error}") from error
        finally:
            connection.close()

    def _call(self, method: str, path: str, body: object) -> bytes:
        connection, response = self._open(method, path, body, self._timeout_s)
        try:
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the gateway did not answer: {error}") from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise _failure(response.status, raw)
        return raw

    def _open(
        self, method: str, path: str, body: object, timeout_s: float
    ) -> tuple[_Connection, http.client.HTTPResponse]:
        connection = _Connection(self._path, timeout_s)
        try:
            headers = {"Authorization": f"Bearer {self._token.read_text().strip()}"}
            data = msgspec.json.encode(body) if body is not None else b""
            connection.request(method, path, body=data, headers=headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unreachable(f"no gateway answers on {self._path}: {error}") from error


def market_path(market: str, verb: str = "") -> str:
    """``/v1/markets/hyna%3ABTC/pause``."""
    tail = f"/{verb}" if verb else ""
    return f"/v1/markets/{quote(market, safe='')}{tail}"


def _decoded(raw: bytes) -> Any:  # noqa: ANN401
    return msgspec.json.decode(raw) if raw else None


def _failure(status: int, raw: bytes) -> ApiFailure:
    try:
        return ApiFailure(msgspec.json.decode(raw, type=_Failure).error)
    except msgspec.MsgspecError:
        text = f"HTTP {status}: {raw[:200].decode(errors='replace')}"
        return ApiFailure(ApiError("unexpected", 1, text))
