"""Takes a rollout from stage to stage: watches canaries, promotes, or goes back by itself."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from agents.telemetry.logs import Log
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.ledger.query import LedgerUnreadable
from fleet.manifests.spec import RolloutSpec, encode
from fleet.supervisor.gates import Evidence, Watch, begun, conclusive, failures, followed
from fleet.supervisor.phases import Phase
from fleet.supervisor.plan import FLEET, plan
from fleet.supervisor.rollback import restored
from fleet.supervisor.rollout import Judged, Rollout, RolloutBook, fallen, judge
from fleet.supervisor.store import MarketRow, Store

BY: Final = "supervisor"
LOOK_EVERY_MS: Final = 1_000
_SETTLED: Final = frozenset({"QUOTING", "REDUCING", "PAUSED"})

Look = Callable[[str, int], Evidence]
"""(market, since venue ms) -> what the ledger has. Raises ``LedgerUnreadable``."""


class Turned(msgspec.Struct, frozen=True):
    """What a turn leads to: markets to be looked at anew, and those to be paused."""

    wake: tuple[str, ...] = ()
    pause: tuple[str, ...] = ()


class Conductor:
    """Owned by the supervisor's loop."""

    def __init__(self, store: Store, look: Look, log: Log) -> None:
        self.book = RolloutBook(store.db)
        self._store = store
        self._look = look
        self._log = log
        self._due_ms = 0

    def turn(
        self,
        status: GatewayStatus,
        rows: Mapping[str, MarketRow],
        how: RolloutSpec,
        now_ms: int,
    ) -> Turned:
        """One round of the rollout under way; while halted or blind nothing is judged."""
        rollout = self.book.current()
        if rollout is None or status.halt is not None or status.link != "up":
            return Turned()
        views = {view.market: view for view in status.markets}
        venue_ms = round(status.as_of_ms + status.venue_offset_ms)
        if now_ms < self._due_ms:
            return Turned()
        self._due_ms = now_ms + LOOK_EVERY_MS
        if rollout.stage == "canary":
            return self._canary(rollout, views, rows, how, venue_ms, now_ms)
        return self._wave(rollout, views, rows, how, now_ms)

    # ── stages ───────────────────────────────────────────────────────────────────────────────

    def _canary(
        self,
        rollout: Rollout,
        views: Mapping[str, MarketView],
        rows: Mapping[str, MarketRow],
        how: RolloutSpec,
        venue_ms: int,
        now_ms: int,
    ) -> Turned:
        watches, failed, ready = dict(rollout.watches), {}, set()
        for market in rollout.canaries:
            row, view = rows.get(market), views.get(market)
            if row is not None and row.phase is Phase.FAILED:
                failed[market] = row.reason or "FAILED"
            elif view is not None and (market in watches or _quotes(view, rollout.rev)):
                seen = self._watch(watches, view, venue_ms)
                if seen is None:
                    continue
                if why := failures(watches[market], view, seen, how.gates, venue_ms):
                    failed[market] = "; ".join(why)
                if conclusive(seen):
                    ready.add(market)
        rollout = msgspec.structs.replace(rollout, watches=watches)
        judged = judge(rollout, how, failed, ready, venue_ms, now_ms)
        if judged is None:
            self.book.put(rollout)
            return Turned()
        return self._end(rollout, judged, tuple(failed) or rollout.canaries, now_ms)

    def _watch(self, watches: dict[str, Watch], view: MarketView, venue_ms: int) -> Evidence | None:
        """Follow a canary on; None while nothing can be said of it."""
        watch = watches.get(view.market) or begun(view, venue_ms)
        if watch is None:
            return None
        try:
            seen = self._look(view.market, watch.since_ms)
        except LedgerUnreadable as error:
            self._log.warning("canary.unseen", market=view.market, cause=str(error))
            return None
        watches[view.market] = followed(watch, view, venue_ms)
        return seen

    def _wave(
        self,
        rollout: Rollout,
        views: Mapping[str, MarketView],
        rows: Mapping[str, MarketRow],
        how: RolloutSpec,
        now_ms: int,
    ) -> Turned:
        mine = [row for row in rows.values() if row.revision == rollout.rev]
        failed = {row.market: row.reason for row in mine if row.desired and _failed(row)}
        if failed and rollout.canaries:
            told = "; ".join(f"{name}: {why}" for name, why in sorted(failed.items()))
            judged = Judged(fallen(rollout, how.on_fail), told)
            return self._end(rollout, judged, tuple(failed), now_ms)
        if all(_settled(row, views.get(row.market), rollout.rev) for row in mine):
            self.book.put(msgspec.structs.replace(rollout, stage="done", watches={}))
        return Turned()

    # ── ends ─────────────────────────────────────────────────────────────────────────────────

    def _end(self, rollout: Rollout, judged: Judged, about: tuple[str, ...], now_ms: int) -> Turned:
        """Write the new stage down with its reason, and what is desired from now on."""
        ended = msgspec.structs.replace(
            rollout, stage=judged.stage, since_ms=now_ms, told=judged.told, watches={}, pending={}
        )
        names = ", ".join(about)
        self._log.info("rollout", stage=judged.stage, revision=rollout.rev, told=judged.told)
        with self._store.transaction():
            if judged.stage == "wave":
                self._store.desire(rollout.pending, rollout.rev, now_ms)
                self._store.audit(BY, "promote", f"revision {rollout.rev}", judged.told, now_ms)
                turned = Turned(wake=tuple(rollout.pending))
            elif judged.stage == "rolled_back":
                turned = self._go_back(ended, names, now_ms)
            else:
                about_all = f"revision {rollout.rev}: {names}"
                self._store.audit(BY, "pause", about_all, judged.told, now_ms)
                turned = Turned(pause=about)
            self.book.put(ended)
        return turned

    def _go_back(self, ended: Rollout, names: str, now_ms: int) -> Turned:
        """The old revision's settings, under the lesser of both's limits, as a new revision."""
        assert ended.base is not None
        detail = f"revision {ended.rev} to {ended.base}: {names}"
        self._store.audit(BY, "rollback", detail, ended.told, now_ms)
        now, rows = self._store.spec(ended.rev), self._store.markets()
        wanted = restored(self._store.spec(ended.base), now)
        steps = plan(self._store.in_force(now, rows), rows, wanted, {})
        desired = {s.market: s.market in wanted.markets for s in steps if s.market != FLEET}
        rev = self._store.revise(encode(wanted).decode(), desired, BY, now_ms, ended.base)
        self._log.info("rolled.back", revision=rev, to=ended.base)
        return Turned(wake=tuple(desired))


def _failed(row: MarketRow) -> bool:
    return row.phase is Phase.FAILED


def _settled(row: MarketRow, view: MarketView | None, rev: int) -> bool:
    """Whether it is where the revision wants it, has FAILED, or waits for its hours."""
    if not row.desired:
        return row.phase is Phase.STOPPED
    quotes = row.phase.value in _SETTLED and view is not None and view.revision == rev
    return quotes or row.phase in {Phase.FAILED, Phase.STOPPED}


def _quotes(view: MarketView, rev: int) -> bool:
    """Whether its agent quotes by the new revision, or did: a fall back counts as uptime lost."""
    return (
        view.revision == rev
        and view.lease.revision == rev
        and view.report is not None
        and view.report.phase in _SETTLED
    )
