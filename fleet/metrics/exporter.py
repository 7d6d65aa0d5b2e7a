"""The exporter: a thread of the supervisor's process that serves ``/metrics`` over HTTP.

Each scrape looks anew, so nothing shown is older than the scrape but what is marked so. A port
that is taken is told once and tried again; the loop turns on whatever happens here.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST

from fleet.folder import Folder
from fleet.metrics.collect import text
from fleet.metrics.seen import Eye
from fleet.metrics.settings import MetricsSettings, read_settings

ROUND_S: Final = 2.0
READ_S: Final = 5.0
Say = Callable[..., object]


class Exporter:
    """Serves one fleet's metrics where ``metrics.json`` says, and follows it when it changes."""

    def __init__(self, folder: Folder, say: Say) -> None:
        self._folder = folder
        self._say = say
        self._eye = Eye(folder)
        self._looking = threading.Lock()
        self._settings: MetricsSettings | None = None
        self._server: ThreadingHTTPServer | None = None
        self._refused = ""
        self._stopping = threading.Event()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="exporter", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        self._stopping.set()

    def scrape(self) -> bytes:
        """One look, as text; one at a time, so that many scrapers cost no more than one."""
        with self._looking:
            return text(self._eye.look())

    def _run(self) -> None:
        self.follow()
        while not self._stopping.wait(ROUND_S):
            self.follow()
        self._close()

    def follow(self) -> None:
        """Serve where the settings say now."""
        settings = read_settings(self._folder)
        if settings == self._settings and (self._server is not None or not self._refused):
            return
        self._close()
        self._settings = settings
        if settings is None or not settings.port:
            self._refused = ""
            return
        try:
            self._server = _Server((settings.host, settings.port), self.scrape)
        except OSError as error:
            self._tell_refused(f"{settings.host}:{settings.port}: {error.strerror or error}")
            return
        self._refused = ""
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        self._say("metrics.served", url=f"http://{settings.host}:{settings.port}/metrics")

    def _tell_refused(self, why: str) -> None:
        if why != self._refused:
            self._say("metrics.not_served", why=why, mend="name another metrics.port and apply")
        self._refused = why

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], scrape: Callable[[], bytes]) -> None:
        self.scrape = scrape
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """GET /metrics, and nothing else."""

    server: _Server
    timeout = READ_S
    server_version = "fleet"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND, "metrics stand under /metrics")
            return
        body = self.server.scrape()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Scrapes are not told."""
