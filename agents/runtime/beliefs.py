"""Where an agent's beliefs outlive it: one file a market, whole or not there."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final

from agents.estimators.checkpoint import CheckpointRefused, decode, encode
from agents.estimators.panel import Panel
from agents.market.types import Coin
from agents.telemetry.logs import Log

SAVE_FIRST_S: Final = 20.0
SAVE_S: Final = 60.0


class Beliefs:
    """The checkpoint at ``path``: read once, then written anew. Never raises for what it finds."""

    def __init__(self, path: Path, coin: Coin, log: Log) -> None:
        self._path = path
        self._coin = coin
        self._log = log

    def read(self, now_ms: int) -> bytes | None:
        """What the engine may be told; what it would refuse is named in the log."""
        try:
            raw = self._path.read_bytes()
            held, age_s = decode(raw, coin=self._coin, now_ms=now_ms)
        except FileNotFoundError:
            return None
        except (OSError, CheckpointRefused) as error:
            self._log.warning("beliefs.ignored", error=str(error))
            return None
        self._log.info("beliefs.found", age_s=round(age_s, 1), saved_ms=held.saved_ms)
        return raw

    async def save(self, panel: Panel) -> None:
        """What the panel believes now; a slow disk holds nobody up."""
        if panel.ready:
            raw = encode(panel.checkpoint(self._coin))
            await asyncio.to_thread(self._write, raw, ".new")

    def save_last(self, panel: Panel) -> None:
        """The same at once, as the last thing; ``save`` may still be at it, in its own file."""
        if panel.ready:
            self._write(encode(panel.checkpoint(self._coin)), ".last")

    def _write(self, raw: bytes, suffix: str) -> None:
        """Into a file beside it first: a reader sees the old one or the new one."""
        beside = self._path.with_suffix(suffix)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(beside, "wb", opener=_private) as file:
                file.write(raw)
            beside.replace(self._path)
        except OSError as error:
            self._log.warning("beliefs.unsaved", error=str(error))
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
