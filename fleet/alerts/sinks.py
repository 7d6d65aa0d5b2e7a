"""Where alerts go: a webhook and a command, each tried a few times by a thread of its own.

Nobody waits for it. What cannot be delivered is dropped after ``RETRY_S``, and said in the log by
the address's host alone: the rest of an address may be a secret.
"""

import contextlib
import queue
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from fleet.alerts.desk import Notice

TIMEOUT_S: Final = 10.0
RETRY_S: Final = (1.0, 5.0, 30.0)
WAITING_MAX: Final = 100
Say = Callable[..., None]


class Undelivered(Exception):
    """It did not arrive; the text names no secret."""


def host(url: str) -> str:
    """What of an address may be told."""
    return urlsplit(url).hostname or "an address without a host"


def post(url: str, body: bytes, timeout_s: float = TIMEOUT_S) -> None:
    """POST JSON. Raises ``Undelivered`` unless the answer is 2xx."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Undelivered(f"{host(url)}: not an address of http or https")
    request = urllib.request.Request(  # noqa: S310 - the scheme is looked at above
        url, data=body, headers={"Content-Type": "application/json", "User-Agent": "fleet"}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - as above
            answer.read(1_024)
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            raise Undelivered(f"{host(url)}: HTTP {error.code}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None)
        raise Undelivered(f"{host(url)}: {why or type(error).__name__}") from None


def run_command(command: Sequence[str], line: bytes, timeout_s: float = TIMEOUT_S) -> None:
    """Run a command of the operator's with the JSON on its stdin. Raises ``Undelivered``."""
    name = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own
            command, input=line + b"\n", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=timeout_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Undelivered(f"{name}: not done within {timeout_s:g} s, ended") from None
    except OSError as error:
        raise Undelivered(f"{name}: {error.strerror}") from None
    if done.returncode:
        raise Undelivered(f"{name}: exit {done.returncode}")


def payload(notice: Notice, fleet: str, network: str) -> bytes:
    """JSON; ``text`` alone says all that a person needs, as chats show it."""
    mark = {"raised": "", "still": "still: ", "over": "over: ", "event": ""}[notice.state]
    text = f"[{notice.severity}] {network}/{fleet}: {mark}{notice.text}"
    told: dict[str, Any] = {"fleet": fleet, "network": network, **msgspec.structs.asdict(notice)}
    return msgspec.json.encode({**told, "what": notice.text, "text": text})


class Sink:
    """One way out. ``send`` raises ``Undelivered``; ``put`` never waits and never fails."""

    def __init__(
        self, name: str, send: Callable[[bytes], None], say: Say, retry_s: Sequence[float] = RETRY_S
    ) -> None:
        self._name = name
        self._send = send
        self._say = say
        self._retry_s = tuple(retry_s)
        self._waiting: queue.Queue[bytes] = queue.Queue(WAITING_MAX)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"alerts {name}", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._say("alert.dropped", sink=self._name, why=f"{WAITING_MAX} are waiting")

    def close(self) -> None:
        """What waits is not sent any more."""
        self._stopping.set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Empty):
                self._deliver(self._waiting.get(timeout=0.5))

    def _deliver(self, line: bytes) -> None:
        why = ""
        for wait_s in (0.0, *self._retry_s):
            if self._stopping.wait(wait_s):
                return
            try:
                self._send(line)
            except Undelivered as error:
                why = str(error)
            else:
                return
        self._say("alert.undelivered", sink=self._name, why=why, tries=1 + len(self._retry_s))
