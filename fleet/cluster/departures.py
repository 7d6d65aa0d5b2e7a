"""An agent's last word, in its own folder: the supervisor reads it once the process is gone."""

import msgspec

from fleet.folder import Folder, slug
from fleet.supervisor.attempts import Departure


def write_departure(folder: Folder, market: str, departure: Departure) -> None:
    """Atomic; an agent that cannot write leaves no word, and counts as unheard."""
    path = folder.root / "agents" / slug(market) / "exit.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(departure))
    draft.replace(path)


def read_departure(folder: Folder, market: str) -> Departure | None:
    """None if there is none that can be read."""
    path = folder.root / "agents" / slug(market) / "exit.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Departure)
    except (OSError, msgspec.MsgspecError):
        return None
