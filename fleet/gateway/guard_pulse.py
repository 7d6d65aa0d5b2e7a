"""Whether the gateway answers: a living process that is hung protects nobody.

One question at a time to ``/healthz`` over its socket, never waited for. Standard library only.
"""

import contextlib
import socket
from typing import Final

from fleet.folder import Folder

EVERY_S: Final = 0.5
SILENT_S: Final = 3.0
"""A lease lasts 5 s: what hangs must be replaced, and its orders be gone, by then + 2 s."""


class Pulse:
    """Call ``look`` each half second; ``descriptor`` becomes readable when an answer is there."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._asked: socket.socket | None = None
        self._asked_s = 0.0

    @property
    def descriptor(self) -> int | None:
        return self._asked.fileno() if self._asked is not None else None

    def look(self, now_s: float) -> bool:
        """Ask, if nothing is asked; False once an answer is overdue."""
        self._take()
        if self._asked is None:
            if now_s - self._asked_s >= EVERY_S:
                self._ask(now_s)
            return True
        return now_s - self._asked_s <= SILENT_S

    def forget(self) -> None:
        """Another gateway, another pulse."""
        if self._asked is not None:
            self._asked.close()
        self._asked = None

    def _ask(self, now_s: float) -> None:
        """A socket that refuses is that of a gateway that goes: its pidfd tells."""
        self._asked_s = now_s
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            token = self._folder.token.read_text().strip()
            asked.connect(str(self._folder.gateway_sock))
            asked.sendall(
                b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
            )
        except BlockingIOError:  # its backlog is full: nobody accepts
            pass
        except OSError:
            asked.close()
            return
        self._asked = asked

    def _take(self) -> None:
        """Whatever it says is a sign of life."""
        if self._asked is None:
            return
        with contextlib.suppress(BlockingIOError):
            with contextlib.suppress(ConnectionError):
                self._asked.recv(65_536)
            self.forget()
