"""The supervisor's HTTP/JSON on ``control.sock``, by the standard library alone."""

import http.client
import socket
from typing import Any, Final

import msgspec

from fleet.cli.failure import ExitCode, Failure
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import ApiError
from fleet.gateway.client import market_path

FLEET: Final = "*"
"""The market of a step that is about the fleet itself."""


class ControlDown(Exception):
    """Nobody answers on the control socket, or not in time."""


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Blind(msgspec.Struct, frozen=True):
    what: str
    cause: str
    for_s: float


class _Healthz(msgspec.Struct, frozen=True):
    blind: _Blind | None = None


class Step(msgspec.Struct, frozen=True):
    """One line of a plan. ``kind`` is start, hot, requote, restart, replace, drain or remove."""

    market: str
    kind: str = msgspec.field(name="class")
    text: str = ""
    raises_risk: bool = False


class Plan(msgspec.Struct, frozen=True):
    """What an apply would do now; ``revision`` is the one in force."""

    plan_id: str
    revision: int
    steps: tuple[Step, ...]


class Rollback(Plan, frozen=True):
    """A plan that leads back; ``to``: the revision whose settings it takes."""

    to: int


class Health(msgspec.Struct, frozen=True):
    """What a supervisor says of itself. ``turns``: its loop does; ``blind``: what it cannot see."""

    turns: bool
    blind: str | None = None
    cause: str = ""
    blind_s: float = 0.0


class Control:
    """One supervisor's control API."""

    def __init__(self, folder: Folder, timeout_s: float = 30.0) -> None:
        self._folder = folder
        self._timeout_s = timeout_s

    def healthy(self, timeout_s: float = 2.0) -> bool:
        """Whether the supervisor's loop turns."""
        return self.health(timeout_s).turns

    def health(self, timeout_s: float = 2.0) -> Health:
        """Never raises: who does not answer does not turn."""
        try:
            status, raw = self._request("GET", "/healthz", None, timeout_s)
            blind = msgspec.json.decode(raw, type=_Healthz).blind
        except (ControlDown, msgspec.MsgspecError):
            return Health(turns=False)
        turns = status == http.client.OK
        if blind is None:
            return Health(turns)
        return Health(turns, blind.what, blind.cause, blind.for_s)

    def plan(self, manifest: bytes) -> Plan:
        body = {"manifest": msgspec.Raw(manifest)}
        return msgspec.convert(self._call("POST", "/v1/plan", body), Plan)

    def apply(
        self, manifest: bytes, *, plan_id: str, only: str | None, allow: tuple[str, ...], by: str
    ) -> int:
        """Make the manifest the desired state; returns its revision, at once."""
        body = {
            "manifest": msgspec.Raw(manifest),
            "plan_id": plan_id,
            "only": only,
            "allow": allow,
            "by": by,
        }
        return int(self._call("POST", "/v1/apply", body)["revision"])

    def rollback(
        self, rev: int | None, by: str, *, dry: bool = False, plan_id: str | None = None
    ) -> Rollback:
        """Go back to an old revision as a new one; ``dry``: only say what that would do."""
        body = {"rev": rev, "by": by, "dry": dry, "plan_id": plan_id}
        return msgspec.convert(self._call("POST", "/v1/rollback", body), Rollback)

    def act(self, market: str, verb: str, by: str) -> None:
        """pause, unpause, drain, flatten or restart one market."""
        self._call("POST", market_path(market, verb), {"by": by})

    def explain(self, market: str) -> Any:  # noqa: ANN401  # agents.handlers.explain's, as JSON
        """Why a market quotes as it does. ``Failure`` where its agent can't say."""
        return self._call("GET", market_path(market, "explain"), None)

    def down(self) -> None:
        """Stop and release every agent and the risk actor; returns when they are gone."""
        self._call("POST", "/v1/down", {"by": me()})

    def _call(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401  # the answer
        status, raw = self._request(method, path, msgspec.json.encode(body), self._timeout_s)
        if status < http.client.MULTIPLE_CHOICES:
            return msgspec.json.decode(raw)
        try:
            error = msgspec.convert(msgspec.json.decode(raw)["error"], ApiError)
        except (msgspec.MsgspecError, KeyError, TypeError):
            text = f"the supervisor answered {status} to {method} {path}"
            raise Failure(ExitCode.UNEXPECTED, text, "see: fleet logs supervisor") from None
        raise Failure(error.exit, error.text, error.mend)

    def _request(
        self, method: str, path: str, body: bytes | None, timeout_s: float
    ) -> tuple[int, bytes]:
        connection = _Connection(str(self._folder.control_sock), timeout_s)
        try:
            token = self._folder.token.read_text(encoding="ascii").strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ControlDown(f"{method} {path}: {str(error) or type(error).__name__}") from None
        finally:
            connection.close()
