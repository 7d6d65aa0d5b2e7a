"""What the processes of a fleet last told of their event loops."""

from typing import Final
from urllib.parse import unquote

from agents.runtime.loops import LoopView, read
from fleet.folder import Folder

AGE_MAX_MS: Final = 30_000


def observed(folder: Folder, now_ms: int) -> dict[str, LoopView]:
    """Of each process that watches its event loop, what it saw; of none that is gone."""
    paths = {unquote(path.stem): path for path in folder.loops.glob("*.json")}
    paths["venue"] = folder.loop("venue")
    views = {process: read(path) for process, path in paths.items()}
    return {
        process: view
        for process, view in views.items()
        if view is not None and now_ms - view.as_of_ms < AGE_MAX_MS
    }
