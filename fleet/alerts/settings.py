"""``alerts.json`` in a fleet's folder: where alerts go, as ``fleet apply`` last wrote it (0600)."""

from pathlib import Path
from typing import Literal

import msgspec

from fleet.folder import Folder

Severity = Literal["info", "warning", "critical"]
RANK: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}


class AlertSettings(msgspec.Struct, frozen=True):
    """Addresses as they are dialled: they may hold a secret, so this is never printed or logged.

    ``severity_min``: milder alerts stay in the log. ``repeat_s``: what stands is told again.
    """

    webhook: str | None = None
    command: tuple[str, ...] = ()
    severity_min: Severity = "warning"
    repeat_s: float = 900.0
    heartbeat: str | None = None
    heartbeat_every_s: float = 60.0


def settings_path(folder: Folder) -> Path:
    return folder.root / "alerts.json"


def read_settings(folder: Folder) -> AlertSettings:
    """As written; without a file nothing is sent. OSError, msgspec.MsgspecError if unreadable."""
    try:
        return msgspec.json.decode(settings_path(folder).read_bytes(), type=AlertSettings)
    except FileNotFoundError:
        return AlertSettings()
