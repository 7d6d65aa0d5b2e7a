"""Questions of agents that wait for an answer which serves several of them."""

from collections.abc import Iterator
from typing import Final

import msgspec

FILLS: Final = "*fills"
"""The key of questions about fills; of those about open orders it is the DEX."""


class Waiting(msgspec.Struct, frozen=True):
    """One question. ``since_ms``: from when on fills are asked for."""

    session: int
    agent_id: int
    market: str
    kind: str
    asked_ms: int
    since_ms: int = 0


class Questions:
    """By key, in the order asked."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Waiting]] = {}

    def add(self, key: str, asked: Waiting) -> None:
        self._waiting.setdefault(key, []).append(asked)

    def of(self, key: str) -> list[Waiting]:
        return self._waiting.get(key, [])

    def oldest(self) -> list[tuple[str, int]]:
        """Each key with its oldest question's time."""
        return [(key, rows[0].asked_ms) for key, rows in self._waiting.items()]

    def since_ms(self) -> int:
        """From when on fills must be known to answer everybody who asks for them."""
        return min((row.since_ms for row in self.of(FILLS)), default=0)

    def take(self, key: str, until_ms: int, since_ms: int = 0) -> list[Waiting]:
        """Those asked by ``until_ms``, about no earlier than ``since_ms``; they wait no more."""
        rows = self.of(key)
        taken = [r for r in rows if r.asked_ms <= until_ms and r.since_ms >= since_ms]
        self._keep(key, [row for row in rows if row not in taken])
        return taken

    def expired(self, before_ms: int) -> Iterator[Waiting]:
        """Those asked before; they wait no more."""
        for key in list(self._waiting):
            yield from self.take(key, before_ms - 1)

    def forget(self, session: int) -> None:
        """Nobody is there to be answered."""
        for key, rows in list(self._waiting.items()):
            self._keep(key, [row for row in rows if row.session != session])

    def _keep(self, key: str, rows: list[Waiting]) -> None:
        if rows:
            self._waiting[key] = rows
        else:
            self._waiting.pop(key, None)
