"""A rollout as ``fleet status`` shows it: how far canaries and waves are, or how it ended."""

import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec

from fleet.manifests.spec import RolloutSpec
from fleet.supervisor.rollout import Rollout, read_rollout

_SETTLED: Final = frozenset({"QUOTING", "REDUCING", "PAUSED", "FAILED", "STOPPED"})
_ENDED_BADLY: Final = frozenset({"rolled_back", "paused"})


class Shown(msgspec.Struct, frozen=True):
    """The newest rollout; ``bake_s``: for how long its canaries are watched."""

    rollout: Rollout
    bake_s: float


class _Spec(msgspec.Struct):
    rollout: RolloutSpec = RolloutSpec()


def read_shown(path: Path) -> Shown | None:
    """From the supervisor's store; None before the first. Raises ``sqlite3.Error``."""
    rollout = read_rollout(path)
    if rollout is None:
        return None
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.2)
    try:
        row = db.execute("SELECT spec FROM revision WHERE rev = ?", (rollout.rev,)).fetchone()
    finally:
        db.close()
    spec = _Spec() if row is None else msgspec.json.decode(row[0], type=_Spec)
    return Shown(rollout, spec.rollout.bake_s)


def rollout_json(
    shown: Shown | None, phases: dict[str, tuple[int, str]], venue_ms: int
) -> dict[str, Any] | None:
    """``phases``: of each market the revision that is desired of it, and its phase."""
    if shown is None:
        return None
    rollout = shown.rollout
    mine = {name: phase for name, (rev, phase) in phases.items() if rev == rollout.rev}
    going = {name for name, phase in mine.items() if rollout.is_open and phase not in _SETTLED}
    return {
        "revision": rollout.rev,
        "base": rollout.base,
        "stage": rollout.stage,
        "since_ms": rollout.since_ms,
        "text": rollout.told or None,
        "bake_s": shown.bake_s,
        "canaries": [_canary(rollout, market, venue_ms) for market in rollout.canaries],
        "waiting": sorted(rollout.pending),
        "going": sorted(going),
        "settled": sorted(mine.keys() - going),
    }


def _canary(rollout: Rollout, market: str, venue_ms: int) -> dict[str, Any]:
    """``watched_s`` None: it does not quote by its new settings yet, or is judged."""
    watch = rollout.watches.get(market)
    state = "judged" if rollout.stage != "canary" else "waits" if watch is None else "watched"
    watched_s = None if watch is None else round(max(0, venue_ms - watch.since_ms) / 1000, 1)
    thin = watch is not None and watch.thin_ms is not None
    return {"market": market, "state": state, "watched_s": watched_s, "thin": thin}


def rollout_line(told: dict[str, Any] | None, revision: int | None) -> str | None:
    """For people: one that is under way, or that ended badly and was not superseded."""
    if told is None:
        return None
    head = f"rollout of revision {told['revision']}: "
    if told["stage"] == "canary":
        each = ", ".join(_watched(row, told["bake_s"]) for row in told["canaries"])
        return f"{head}canary {each}; {len(told['waiting'])} markets wait"
    if told["stage"] == "wave":
        done, count = len(told["settled"]), len(told["settled"]) + len(told["going"])
        why = f" ({told['text']})" if told["text"] else ""
        return f"{head}{done} of {count} markets have settled{why}"
    newest = revision is None or revision <= told["revision"] + (told["stage"] == "rolled_back")
    if told["stage"] in _ENDED_BADLY and newest:
        words = "rolled back" if told["stage"] == "rolled_back" else "paused"
        return f"{head}{words}: {told['text']}"
    return None


def _watched(row: dict[str, Any], bake_s: float) -> str:
    if row["watched_s"] is None:
        return f"{row['market']} starts"
    thin = ", its spread is below the fee" if row["thin"] else ""
    return f"{row['market']} watched for {row['watched_s']:.0f} of {bake_s:.0f} s{thin}"
