"""The proof that nothing is held: the venue's own positions, asked for twice, none of them ours.

Asked only when nothing that could still trade is under way; whatever starts in between begins it
again.
"""

from collections.abc import Iterable
from typing import Final

INTERVAL_MS: Final = 500
REASK_MS: Final = 1_000
ROUNDS: Final = 2


class FlatProof:
    """``step`` as often as you like; feed it what the venue ``answered``."""

    def __init__(self, dexes: Iterable[str]) -> None:
        self._dexes = tuple(dexes)
        self._asked: dict[str, int] = {}
        self._round_ms: int | None = None
        self._over_ms = 0
        self._clean = 0

    @property
    def proven(self) -> bool:
        return self._clean >= ROUNDS

    def step(self, now_ms: int, *, quiet: bool) -> tuple[str, ...]:
        """The DEXs to be asked now. ``quiet``: nothing of ours is under way, nothing is held."""
        if not quiet:
            self._clean, self._round_ms = 0, None
            return ()
        if self.proven:
            return ()
        if self._round_ms is None:
            if self._clean and now_ms - self._over_ms < INTERVAL_MS:
                return ()
            self._round_ms = now_ms
            self._asked = dict.fromkeys(self._dexes, now_ms)
            return self._dexes
        silent = tuple(dex for dex, ms in self._asked.items() if now_ms - ms >= REASK_MS)
        self._asked.update(dict.fromkeys(silent, now_ms))
        return silent

    def answered(self, dex: str, requested_ms: int, now_ms: int, *, held: bool) -> None:
        """One DEX's positions came; ``held``: some of them are ours."""
        if self._round_ms is None or requested_ms < self._round_ms or dex not in self._asked:
            return
        if held:
            self._clean, self._round_ms = 0, None
            return
        del self._asked[dex]
        if not self._asked:
            self._clean, self._round_ms, self._over_ms = self._clean + 1, None, now_ms
