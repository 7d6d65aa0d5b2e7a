"""How orders are brought to nothing, and how that is proven (architecture 8).

Cancel what rests; void what is in flight by a noop under the same nonce, or wait until its expiry
is past by the venue's time; then ask for snapshots of every DEX concerned. Only snapshots asked
for when nothing was unresolved and nothing known to rest count; the halt needs two, a second apart.
One machine serves the halt (every market) and a market whose agent is gone.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from fleet.gateway.core.orders import dex_of

RECANCEL_MS: Final = 700
REVOID_MS: Final = 1_500
REASK_MS: Final = 600
ROUND_EVERY_MS: Final = 300
BLIND_ROUND_EVERY_MS: Final = 1_500
PROOF_INTERVAL_MS: Final = 1_000


class Target(msgspec.Struct, frozen=True):
    """One order to be cancelled; ``cloid`` None: a foreign one, by oid."""

    market: str
    cloid: str | None
    oid: int | None

    @property
    def key(self) -> str:
        return self.cloid or f"oid:{self.oid}"


class Step(msgspec.Struct, frozen=True):
    """What to do now."""

    cancel: tuple[Target, ...] = ()
    void: tuple[int, ...] = ()
    snapshot: tuple[str, ...] = ()


class Clearing:
    """One clearing under way. ``step`` as often as you like; feed it ``snapshot``s."""

    def __init__(self, dexes: Iterable[str], *, snapshots: int, now_ms: int) -> None:
        self.dexes = tuple(dexes)
        self.snapshots_needed = snapshots
        self.started_ms = now_ms
        self.cleared_ms: int | None = None
        self.proven_ms: int | None = None
        self.clean = 0
        self.voided = 0
        self.foreign = False
        self.held = False  # True: whoever else may place is not known yet, nothing proves anything
        self.cancelled: dict[str, set[str]] = {}
        self._cancel_sent: dict[str, int] = {}
        self._void_sent: dict[int, int] = {}
        self._first_clean_ms = 0
        self._round_ms: int | None = None
        self._round_ready = False
        self._asked: dict[str, int] = {}
        self._last_ask_ms = 0
        self._round_found = False
        self._last_round_ms: int | None = None
        self._looked = False

    @property
    def done(self) -> bool:
        return self.proven_ms is not None

    def again(self) -> None:
        """More may have come to rest: what was proven is proven no longer."""
        self.clean, self.proven_ms, self._round_ms = 0, None, None

    def step(self, now_ms: int, resting: Iterable[Target], unresolved: Iterable[int]) -> Step:
        """``resting``: orders in scope known to rest; ``unresolved``: nonces of placements."""
        if self.done:
            return Step()
        targets, nonces = tuple(resting), tuple(unresolved)
        cancel = tuple(t for t in targets if self._due(self._cancel_sent, t.key, now_ms))
        for target in cancel:
            self._cancel_sent[target.key] = now_ms
            self.cancelled.setdefault(target.market, set()).add(target.key)
        void = tuple(n for n in nonces if now_ms - self._void_sent.get(n, -REVOID_MS) >= REVOID_MS)
        for nonce in void:
            self._void_sent[nonce] = now_ms
        ready = not targets and not nonces
        if not ready and self.clean:
            self.again()
        rests = tuple(sorted({dex_of(target.market) for target in targets}))
        return Step(cancel=cancel, void=void, snapshot=self._round(now_ms, rests, ready=ready))

    @staticmethod
    def _due(sent: dict[str, int], key: str, now_ms: int) -> bool:
        return now_ms - sent.get(key, -RECANCEL_MS) >= RECANCEL_MS

    def _round(self, now_ms: int, rests: tuple[str, ...], *, ready: bool) -> tuple[str, ...]:
        """The DEXs to be asked now: a new round, or those of this one that did not answer.

        A list weighs 20, so once all were looked at only those are asked where orders seem to rest
        (``rests``), until a round may count.
        """
        self._round_ready = self._round_ready and ready
        if self._round_ms is not None:
            silent = tuple(
                dex for dex, asked_ms in self._asked.items() if now_ms - asked_ms >= REASK_MS
            )
            self._asked.update(dict.fromkeys(silent, now_ms))
            self._last_ask_ms = now_ms if silent else self._last_ask_ms
            return silent
        if self.clean and now_ms - self._first_clean_ms < PROOF_INTERVAL_MS:
            return ()
        every_ms = ROUND_EVERY_MS if ready else BLIND_ROUND_EVERY_MS
        if not ready and self._last_round_ms is None:
            self._last_round_ms = now_ms  # cancels first; look when they had time to work
        if self._last_round_ms is not None and now_ms - self._last_round_ms < every_ms:
            return ()
        wanted = self.dexes if ready or not self._looked else rests
        if not wanted or (self.held and ready and self._looked):
            return ()
        self._looked = True
        self._round_ms = self._last_round_ms = self._last_ask_ms = now_ms
        self._round_ready, self._round_found = ready, False
        self._asked = dict.fromkeys(wanted, now_ms)
        return wanted

    def snapshot(self, dex: str, requested_ms: int, now_ms: int, *, found: bool) -> None:
        """One DEX's open orders came; ``found``: some of them are in scope."""
        if self.done or self._round_ms is None or requested_ms < self._round_ms:
            return
        self._asked.pop(dex, None)
        self._round_found = self._round_found or found
        if self._asked:
            return
        self._round_ms = None
        if self._round_found or not self._round_ready:
            self.clean = 0
            return
        if self.clean == 0:
            self._first_clean_ms = self._last_ask_ms
            if self.cleared_ms is None:
                self.cleared_ms = now_ms
        self.clean += 1
        if self.clean >= self.snapshots_needed:
            self.proven_ms = now_ms
