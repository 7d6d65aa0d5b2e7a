"""``metrics.json`` in a fleet's folder: where metrics are served, as ``fleet apply`` wrote it."""

import contextlib
from pathlib import Path

import msgspec

from fleet.folder import Folder


class MetricsSettings(msgspec.Struct, frozen=True):
    """``port`` 0: not served over TCP; always on the supervisor's control socket."""

    host: str = "127.0.0.1"
    port: int = 9090


def settings_path(folder: Folder) -> Path:
    return folder.root / "metrics.json"


def read_settings(folder: Folder) -> MetricsSettings | None:
    """As written; None where nothing can be read, then nothing is served."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(settings_path(folder).read_bytes(), type=MetricsSettings)
    return None


def keep(folder: Folder, settings: MetricsSettings) -> bool:
    """Write what the exporter reads, if it differs; it takes it over within seconds."""
    path, wanted = settings_path(folder), msgspec.json.encode(settings)
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == wanted:
            return False
    draft = path.with_suffix(".new")
    draft.write_bytes(wanted)
    draft.replace(path)
    return True
