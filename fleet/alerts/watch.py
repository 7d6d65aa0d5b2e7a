"""The watch: a thread of the ledger's process that looks at the fleet, alerts, and beats outside.

It holds up nothing, and nothing waits for it: what it may not do in time it leaves out.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from fleet.alerts.conditions import Condition, Seen, conditions
from fleet.alerts.desk import Desk, Notice, Standing
from fleet.alerts.settings import AlertSettings, read_settings
from fleet.alerts.sinks import Say, Sink, payload, post, run_command
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus
from fleet.gateway.records import Alerted

ROUND_S: Final = 2.0
_LEVELS: Final = frozenset({"halt", "drift", "link", "second_controller", "files"})
"""Events of the gateway that the state shows too: told from there, with their end."""


class _Identity(msgspec.Struct, frozen=True):
    fleet: str = ""
    network: str = ""


class Watch:
    """``look``: everything of a moment, asked once a round."""

    def __init__(self, folder: Folder, look: Callable[[], Seen], say: Say) -> None:
        self._folder = folder
        self._look = look
        self._say = say
        self._kept = folder.root / "alerts.state"
        self._desk = Desk(self._read_kept())
        self._settings = AlertSettings()
        self._sinks: list[Sink] = []
        self._heartbeat: Sink | None = None
        self._beat_s = 0.0
        self._heard: list[Alerted] = []
        self._stopping = threading.Event()
        self._broken = ""
        self._identity = _Identity()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        self._stopping.set()

    def heard(self, alerts: Iterable[Alerted]) -> None:
        """Of the log, as it is read; from another thread."""
        self._heard += alerts

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_S):
            try:
                self.turn(time.time_ns() // 1_000_000)
            except Exception as error:  # noqa: BLE001 - the next round may do better
                if repr(error) != self._broken:
                    self._broken = repr(error)
                    self._say("alerts.round_failed", why=self._broken)
        for sink in self._sinks:
            sink.close()

    def turn(self, now_ms: int) -> None:
        """One round: look, tell, beat."""
        self._take_settings()
        seen = self._look()
        notices = self._desk.news(conditions(seen), self._settings, now_ms)
        heard, self._heard = self._heard, []
        levels = _LEVELS | (set(seen.gateway.cautions) if seen.gateway is not None else set())
        for alert in heard:
            if alert.event not in levels:
                severity = alert.severity if alert.severity in {"warning", "critical"} else "info"
                moment = Condition(severity, alert.event, alert.text, alert.market)  # type: ignore[arg-type]  # one of three
                notices += self._desk.event(moment, self._settings, now_ms)
        for notice in notices:
            self._tell(notice)
        if notices:
            self._keep()
        self._beat(seen.gateway)

    def _tell(self, notice: Notice) -> None:
        told = msgspec.structs.asdict(notice)
        told["about"] = told.pop("event")
        del told["at_ms"]
        self._say("alert", **told)
        line = payload(notice, self._identity.fleet, self._identity.network)
        for sink in self._sinks:
            sink.put(line)

    def _beat(self, status: GatewayStatus | None) -> None:
        """Only while the gateway answers: its silence is to be noticed elsewhere too."""
        now_s = time.monotonic()
        due = now_s - self._beat_s >= self._settings.heartbeat_every_s
        if self._heartbeat is None or status is None or not due:
            return
        self._beat_s = now_s
        beat = {"fleet": status.fleet, "network": status.network, "at_ms": status.as_of_ms,
                "halted": status.halt is not None, "markets": len(status.markets)}  # fmt: skip
        self._heartbeat.put(msgspec.json.encode(beat))

    # ── settings, and what outlives a restart ────────────────────────────────────────────────

    def _take_settings(self) -> None:
        try:
            settings = read_settings(self._folder)
        except (OSError, msgspec.MsgspecError) as error:
            settings = self._settings
            if self._broken != "settings":
                self._broken = "settings"
                self._say("alerts.settings_unreadable", why=type(error).__name__)
        if not self._identity.fleet:
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                raw = self._folder.fleet_json.read_bytes()
                self._identity = msgspec.json.decode(raw, type=_Identity)
        if settings == self._settings:
            return
        for sink in [*self._sinks, *filter(None, [self._heartbeat])]:
            sink.close()
        self._settings, self._sinks, self._heartbeat = settings, [], None
        webhook, command, heartbeat = settings.webhook, settings.command, settings.heartbeat
        if webhook is not None:
            self._sinks.append(Sink("webhook", lambda line: post(webhook, line), self._say))
        if command:
            self._sinks.append(Sink("command", lambda line: run_command(command, line), self._say))
        if heartbeat is not None:
            beat = Sink("heartbeat", lambda line: post(heartbeat, line), self._say, retry_s=(5.0,))
            self._heartbeat = beat

    def _read_kept(self) -> dict[str, Standing]:
        try:
            return msgspec.json.decode(self._kept.read_bytes(), type=dict[str, Standing])
        except (OSError, msgspec.MsgspecError):
            return {}

    def _keep(self) -> None:
        with contextlib.suppress(OSError):
            self._kept.write_bytes(msgspec.json.encode(self._desk.standing))
            self._kept.chmod(0o600)
