"""An agent's last word, in its own folder: the supervisor reads it once the process is gone."""

import os
from typing import Final

import msgspec

from fleet.folder import Folder, slug
from fleet.supervisor.attempts import Departure

LOG_TAIL_BYTES: Final = 16_384
LINE_CHARS_MAX: Final = 200
LINES: Final = 3


def write_departure(folder: Folder, market: str, departure: Departure) -> None:
    """Atomic; an agent that cannot write leaves no word, and counts as unheard."""
    path = folder.root / "agents" / slug(market) / "exit.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(departure))
    draft.replace(path)


def log_end(folder: Folder, market: str) -> str:
    """The last warnings and errors of a market's log, newest last, on one line.

    Where it has none, the last thing it told: a process that was killed did not see it come.
    """
    try:
        with folder.log(market).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            lines = log.read().splitlines()
    except OSError:
        return ""
    told, last = [], ""
    for line in lines:
        try:
            row = msgspec.json.decode(line, type=dict[str, object])
        except msgspec.MsgspecError:
            continue  # the first one may be torn
        last = f"{row.get('event')} at {row.get('at')}"
        if row.get("level") in {"warning", "error"}:
            said = row.get("error") or row.get("reason") or row.get("cause") or ""
            told.append(f"{row.get('event')} {said}".strip()[:LINE_CHARS_MAX])
    return " | ".join(told[-LINES:]) or last


def read_departure(folder: Folder, market: str) -> Departure | None:
    """None if there is none that can be read."""
    path = folder.root / "agents" / slug(market) / "exit.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Departure)
    except (OSError, msgspec.MsgspecError):
        return None
