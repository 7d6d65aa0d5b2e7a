"""The manifest's ``alerts:`` on its way to the watch: addresses found now, kept in a 0600 file."""

import os
from pathlib import Path

import msgspec

from fleet.alerts.settings import AlertSettings, settings_path
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.key import write_private
from fleet.folder import Folder
from fleet.manifests.spec import AlertsSpec, UrlSource


def resolved(spec: AlertsSpec) -> AlertSettings:
    """With the addresses as they are dialled; exit 3 where one is missing or is none."""
    return AlertSettings(
        webhook=_address("alerts.webhook", spec.webhook),
        command=spec.command,
        severity_min=spec.severity_min,
        repeat_s=spec.repeat_s,
        heartbeat=_address("alerts.heartbeat", spec.heartbeat),
        heartbeat_every_s=spec.heartbeat_every_s,
    )


def _address(key: str, source: UrlSource | None) -> str | None:
    if source is None:
        return None
    where = f"{key}: {source.file or source.env or 'url'}"
    if source.env is not None:
        found = os.environ.get(source.env, "")
        mend = f"export {source.env} and apply again"
    elif source.file is not None:
        mend = "name the file that holds the address alone"
        try:
            found = Path(source.file).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise Failure(ExitCode.INVALID, f"{where} cannot be read", mend) from None
    else:
        found, mend = source.url or "", "write an address that begins with https://"
    found = found.strip()
    if not found.startswith(("http://", "https://")) or len(found.split()) != 1:
        raise Failure(ExitCode.INVALID, f"{where} holds no address", mend)
    return found


def keep(folder: Folder, settings: AlertSettings) -> bool:
    """Write what the watch reads, if it differs; it takes it over within seconds."""
    path, wanted = settings_path(folder), msgspec.json.encode(settings)
    if path.exists() and path.read_bytes() == wanted:
        return False
    if settings == AlertSettings() and not path.exists():
        return False
    write_private(path, wanted.decode())
    return True
