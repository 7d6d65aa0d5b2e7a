"""Every recording, every market in it, past a whole engine: which monitors spoke, and of what.

On healthy data only those may speak that tell the truth about the recording itself: its outages,
and the seconds after a start. The rest is what the market did; a table says what that was.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from agents.commands import Command, RequestFence
from agents.engine import Engine
from agents.events import Event, Tick
from agents.risk.verdict import Mode
from agents.sim.universe import default_universe
from fleet.backtest.desk import Desk, Maker
from fleet.backtest.run import Bout, engine, read

SHARED: Final = Path(os.environ.get("FLEET_SHARED", "../shared")) / "recordings"
RECORDINGS: Final = sorted(SHARED.glob("*.jsonl.zst"))
TRUE: Final = frozenset({"data", "readiness", "link", "directive", "fence", "killed"})
"""A recording that is silent, and an engine that begins."""
RARE_SHARE: Final = 0.01


class Listened:
    """An engine, and what its monitors said at each tick."""

    def __init__(self, inner: Maker) -> None:
        assert isinstance(inner, Engine)
        self.inner = inner
        self.ticks = 0
        self.said: Counter[tuple[str, str]] = Counter()
        self.kills: list[str] = []

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        commands = self.inner.handle(event, now_ns)
        self.kills += [c.reason for c in commands if isinstance(c, RequestFence)]
        if isinstance(event, Tick):
            self.ticks += 1
            for found in self.inner.state.verdict.found:
                if found.mode > Mode.WARN:
                    self.said[found.monitor, found.mode.words] += 1
        return commands


@pytest.mark.shared
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name.partition(".")[0])
def test_monitors_are_silent_on_recorded_markets(recording: Path) -> None:
    frames, coins = read(recording)
    bout = Bout()
    for coin in coins:
        heard = Listened(engine()(default_universe().instrument(coin), bout))
        Desk(coin, heard, bout.terms, frames).run()
        print(f"\n{recording.name} {coin}: {heard.ticks} ticks, {dict(heard.said)}")  # noqa: T201
        assert all(reason.startswith("killed by data") for reason in heard.kills), heard.kills
        spoke = {row: n for row, n in heard.said.items() if row[0] not in TRUE}
        assert sum(spoke.values()) <= RARE_SHARE * heard.ticks, spoke
