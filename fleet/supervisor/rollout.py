"""A revision on its way to its markets: canaries first, watched, then the rest. Pure but its table.

    canary  -> wave         every canary stood its time, or was inconclusive and may pass
            -> rolled_back  a gate failed, or it was inconclusive and must not pass
            -> paused       the same, where nothing older is there to go back to, or it is so wished
    wave    -> done         every market of the revision has settled
            -> rolled_back | paused   one of them FAILED

A market's settings are those of the revision that its row names; a market that waits keeps its
old one. So a supervisor that dies at any point finds all it needs in the store.
"""

import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from fleet.manifests.spec import RolloutSpec
from fleet.supervisor.gates import Watch

Stage = Literal["canary", "wave", "done", "rolled_back", "paused", "superseded"]
_OPEN: Final = ("canary", "wave")
LATE_MS: Final = 180_000
"""A canary that has not quoted for so long has failed, however short the bake."""


class Rollout(msgspec.Struct, frozen=True):
    """``base``: the revision to go back to; ``pending``: markets that wait, and whether each shall
    run; ``fresh``: nothing ran before, so canaries only go first; ``told``: how it ended.
    """

    rev: int
    base: int | None
    stage: Stage
    since_ms: int
    canaries: tuple[str, ...]
    pending: dict[str, bool]
    fresh: bool = False
    watches: dict[str, Watch] = {}
    told: str = ""

    @property
    def is_open(self) -> bool:
        return self.stage in _OPEN


def begin(
    desired: Mapping[str, bool],
    named: Collection[str],
    *,
    running: Collection[str],
    base: int | None,
    at_ms: int,
) -> Rollout:
    """Split a revision: ``desired`` are the markets it touches, ``named`` the manifest's canaries.

    Without a canary among them all go at once, in waves. Its number comes with the revision.
    """
    canaries = tuple(market for market in named if desired.get(market))
    rest = {market: wanted for market, wanted in desired.items() if market not in canaries}
    return Rollout(
        rev=0,
        base=base,
        stage="canary" if canaries else "wave",
        since_ms=at_ms,
        canaries=canaries,
        pending=rest if canaries else {},
        fresh=not running,
    )


class Judged(msgspec.Struct, frozen=True):
    """What comes next, and why."""

    stage: Stage
    told: str


def judge(
    rollout: Rollout,
    how: RolloutSpec,
    failed: Mapping[str, str],
    conclusive: Collection[str],
    venue_ms: int,
    now_ms: int,
) -> Judged | None:
    """Of the canary stage. ``failed``: by canary, what speaks against it; None: go on watching."""
    if failed:
        told = "; ".join(f"{market}: {why}" for market, why in sorted(failed.items()))
        return Judged(fallen(rollout, how.on_fail), told)
    names = ", ".join(rollout.canaries)
    if unseen := [market for market in rollout.canaries if market not in rollout.watches]:
        patience_ms = max(LATE_MS, round(how.bake_s * 1_000))
        told = f"{', '.join(unseen)}: did not quote within {patience_ms // 1_000} s"
        late = now_ms - rollout.since_ms > patience_ms
        return Judged(fallen(rollout, how.on_fail), told) if late else None
    if rollout.fresh:
        return Judged("wave", f"{names} quote: the rest follows")
    began_ms = max(watch.since_ms for watch in rollout.watches.values())
    return None if venue_ms - began_ms < how.bake_s * 1_000 else _baked(rollout, how, conclusive)


def _baked(rollout: Rollout, how: RolloutSpec, conclusive: Collection[str]) -> Judged:
    """Their time is over, and nothing speaks against them."""
    names = ", ".join(rollout.canaries)
    open_ended = [market for market in rollout.canaries if market not in conclusive]
    if open_ended and how.on_inconclusive != "promote":
        told = f"{', '.join(open_ended)}: inconclusive, too few fills in {how.bake_s:g} s"
        return Judged(fallen(rollout, how.on_inconclusive), told)
    words = "inconclusive, promoted as configured" if open_ended else "stood every gate"
    return Judged("wave", f"{names}: {words}")


def fallen(rollout: Rollout, wish: Literal["rollback", "pause"]) -> Stage:
    """Where a rollout ends that may not go on."""
    return "rolled_back" if wish == "rollback" and rollout.base is not None else "paused"


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rollout (
    rev INTEGER PRIMARY KEY, stage TEXT NOT NULL, body TEXT NOT NULL);
"""


class RolloutBook:
    """The table ``rollout`` of ``store.db``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)
        self._kept = _last(db)

    def last(self) -> Rollout | None:
        """The newest revision's, whatever its stage."""
        return self._kept

    def current(self) -> Rollout | None:
        """The one under way."""
        return self._kept if self._kept is not None and self._kept.is_open else None

    def put(self, rollout: Rollout) -> None:
        """Writes only what differs."""
        if rollout == self._kept:
            return
        if self._kept is not None and self._kept.is_open and self._kept.rev != rollout.rev:
            gone = msgspec.structs.replace(self._kept, stage="superseded", watches={})
            self._write(gone)
        self._write(rollout)
        self._kept = rollout

    def _write(self, rollout: Rollout) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO rollout VALUES (?, ?, ?)",
            (rollout.rev, rollout.stage, msgspec.json.encode(rollout).decode()),
        )


def read_rollout(path: Path) -> Rollout | None:
    """The newest one, read beside the writer; raises ``sqlite3.Error``."""
    if not path.exists():
        return None
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    try:
        made = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'rollout'").fetchone()
        return _last(db) if made else None
    finally:
        db.close()


def _last(db: sqlite3.Connection) -> Rollout | None:
    row = db.execute("SELECT body FROM rollout ORDER BY rev DESC LIMIT 1").fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Rollout)
