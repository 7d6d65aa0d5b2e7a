"""The embedded exchange as a process of its own, ended by its pid."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent.parent
READY_S = 20


@dataclass
class VenueProcess:
    """A running venue and where it serves."""

    process: subprocess.Popen[str]
    url: str
    ws: str

    @classmethod
    def start(cls, *arguments: str) -> "VenueProcess":
        """Waits for the ready line. Fails with what the venue said if it ends instead."""
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet.venue.main", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=READY_S)[1]
        ready = json.loads(line)
        return cls(process, ready["url"], ready["ws"])

    def post(self, path: str, body: object) -> Any:
        """A decoded answer of ``/info`` or ``/exchange``."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(self.url + path, data, headers), timeout=10) as answer:
            return json.loads(answer.read())

    def get(self, path: str) -> Any:
        """A decoded answer of ``/admin``."""
        with urlopen(self.url + path, timeout=10) as answer:
            return json.loads(answer.read())

    def stats(self) -> dict[str, int]:
        found = self.get("/admin/stats")
        assert isinstance(found, dict)
        return found

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        self.process.communicate(timeout=READY_S)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=READY_S)
