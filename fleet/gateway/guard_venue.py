"""Where the venue listens: its port kept over restarts, its ready line, its address for others.

Standard library only. The ready line goes to a file, not a pipe: a pipe would break with the guard.
"""

import contextlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fleet.folder import Folder
from fleet.gateway.guard_child import Child

_READY_WAIT_S: Final = 60.0


class VenuePlace:
    """The venue's endpoint, kept in ``venue/endpoint.json``."""

    def __init__(self, folder: Folder) -> None:
        self.ready_file = folder.run / "venue.ready"
        self._folder = folder
        self._endpoint = folder.venue / "endpoint.json"
        self._awaited_since_s = 0.0

    def arguments(self, say: Callable[..., None]) -> list[str]:
        """Its arguments: with the port of last time, unless somebody else has taken that."""
        kept = self._kept().get("port")
        port = kept if isinstance(kept, int) else 0
        if port and _is_taken(port):
            say("venue.port_taken", port=port, mend="another port is chosen")
            port = 0
        self.ready_file.unlink(missing_ok=True)
        config = self._folder.venue / "config.json"
        return ["--config", str(config), "--state", str(self._folder.venue), "--port", str(port)]

    def awaits(self, now_s: float) -> None:
        self._awaited_since_s = now_s

    def overdue(self, now_s: float) -> bool:
        return now_s - self._awaited_since_s > _READY_WAIT_S

    def ready(self) -> str | None:
        """The venue's URL once it has printed its ready line; keeps it."""
        try:
            line, ended, _ = self.ready_file.read_text().partition("\n")
            url = str(json.loads(line)["url"]) if ended else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if url is not None:
            port = int(url.rpartition(":")[2].strip("/"))
            draft = self._endpoint.with_suffix(".new")
            with contextlib.suppress(OSError):  # then the next start takes another port
                draft.write_text(json.dumps({"url": url, "port": port}))
                draft.replace(self._endpoint)
        return url

    def adopted_url(self) -> str | None:
        """Where a venue of an earlier guard listens; None while it is not ready."""
        return self.ready() or str(self._kept().get("url", "")) or None

    def gateway_url(self, gateway: Child) -> str | None:
        """The URL that an adopted gateway was started with."""
        try:
            arguments = Path(f"/proc/{gateway.pid}/cmdline").read_text().split("\0")
        except OSError:
            return None
        return arguments[arguments.index("--url") + 1] if "--url" in arguments else None

    def _kept(self) -> dict[str, object]:
        try:
            kept = json.loads(self._endpoint.read_text())
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
