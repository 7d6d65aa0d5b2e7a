"""What can be seen of a fleet right now: gateway, ledger, store, control socket, latch.

Each source may be away; the others still tell what they know. Import weight matters: this is what
``fleet status`` waits for.
"""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from agents.runtime.loops import LoopView
from fleet import loops
from fleet.cli.control import Control, Health
from fleet.cli.find import Identity, identity
from fleet.cli.rollout_view import Shown, read_shown
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus, LatchView
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.guards import hung, key_missing
from fleet.ledger import health as ledger_health
from fleet.ledger import query
from fleet.ledger.cash import Cash, cash
from fleet.ledger.peak import Drawdown, drawdown
from fleet.ledger.query import LedgerUnreadable, MarketPnl
from fleet.processes import alive
from fleet.risk.baseline import Baseline

GATEWAY_PATIENCE_S = 1.0
CONTROL_PATIENCE_S = 0.25
BLIND_S = 5.0


class StoreRow(msgspec.Struct, frozen=True):
    """A market as the supervisor last wrote it down."""

    desired: bool
    phase: str
    reason: str | None
    restarts: int
    since_ms: int
    revision: int


class Store(msgspec.Struct, frozen=True):
    """The supervisor's store, read-only."""

    revision: int | None
    markets: dict[str, StoreRow]


class Observed(msgspec.Struct, frozen=True):
    """All sources of one moment; None or empty for what is away, with a warning for what broke.

    ``supervisor_down``: why it does not answer; None while it does.
    """

    fleet: str
    identity: Identity | None
    now_ms: int
    gateway: GatewayStatus | None
    supervisor_down: str | None
    ledger_up: bool
    ledger_since_ms: int | None
    pnl: dict[str, MarketPnl]
    store: Store
    latch: LatchView | None
    flow: str | None
    baseline: Baseline | None
    warnings: tuple[str, ...]
    loops: Mapping[str, LoopView] = {}
    cash: Mapping[str, Cash] = {}
    drawdown: Drawdown | None = None
    rollout: Shown | None = None


class _VenueConfig(msgspec.Struct):
    """The part of ``venue/config.json`` that status names: how the market is made."""

    flow: str = "real"
    recording: str | None = None


def observe(folder: Folder) -> Observed:
    """Look at everything once. The supervisor is asked aside: it may be slow to answer."""
    warnings: list[str] = []
    supervisor: list[Health] = []
    control = Control(folder)
    asking = threading.Thread(
        target=lambda: supervisor.append(control.health(CONTROL_PATIENCE_S)), daemon=True
    )
    asking.start()
    gateway = _gateway(folder, warnings)
    now_ms = time.time_ns() // 1_000_000
    books = _ledger(folder, now_ms, warnings)
    store = _store(folder, warnings)
    warnings += unwell(folder)
    asking.join()
    health = supervisor[0] if supervisor else Health(turns=False)
    if health.turns and health.blind is not None and health.blind_s >= BLIND_S:
        warnings.append(
            f"supervisor: it does not see {health.blind} for {health.blind_s:.0f} s and starts"
            f" nothing: {health.cause}"
        )
    return Observed(
        fleet=folder.root.name,
        identity=identity(folder),
        now_ms=now_ms,
        gateway=gateway,
        supervisor_down=None if health.turns else _why_no_supervisor(folder),
        baseline=_baseline(folder),
        ledger_up=alive(folder, "ledger") is not None,
        ledger_since_ms=books.since_ms,
        pnl=books.pnl,
        cash=books.cash,
        drawdown=books.drawdown,
        store=store,
        latch=gateway.halt if gateway else latch(folder),
        flow=_flow(folder),
        rollout=_rollout(folder, warnings),
        warnings=tuple(warnings),
        loops=loops.observed(folder, now_ms),
    )


def _gateway(folder: Folder, warnings: list[str]) -> GatewayStatus | None:
    try:
        return GatewayClient(folder, GATEWAY_PATIENCE_S).status()
    except Unreachable:
        return None
    except ApiFailure as failure:
        warnings.append(f"gateway: {failure}")
        return None


class _Books(msgspec.Struct, frozen=True):
    pnl: dict[str, MarketPnl] = {}
    since_ms: int | None = None
    cash: dict[str, Cash] = {}
    drawdown: Drawdown | None = None


def _ledger(folder: Folder, now_ms: int, warnings: list[str]) -> _Books:
    path = folder.ledger_db
    try:
        state = query.state(path)
        return _Books(
            pnl=query.markets(path, now_ms),
            since_ms=state.since_ms if state else None,
            cash=cash(path),
            drawdown=drawdown(path),
        )
    except LedgerUnreadable as error:
        warnings.append(f"ledger: {error}")
        return _Books()


def unwell(folder: Folder) -> list[str]:
    """What guard and ledger say of themselves that a person should mend."""
    told: list[str] = []
    if key_missing(folder):
        told.append("guard: it has no key and can restart no gateway; fleet apply gives it one")
    if (why := hung(folder)) is not None:
        told.append(f"guard: {why}, and nobody restarts a gateway; fleet apply replaces it")
    ledger = ledger_health.read_state(ledger_health.state_path(folder))
    if ledger is not None and ledger.state == "waiting":
        told.append(f"ledger: it waits, nothing is lost: {ledger.why}; free some disk")
    if ledger is not None and ledger.undecodable:
        told.append(
            f"ledger: {ledger.undecodable} records of the action log passed over; read its log"
        )
    return told


def _store(folder: Folder, warnings: list[str]) -> Store:
    if not folder.store_db.exists():
        return Store(revision=None, markets={})
    uri = f"file:{quote(str(folder.store_db))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as db:
            (revision,) = db.execute("SELECT max(rev) FROM revision").fetchone()
            rows = db.execute(
                "SELECT market, desired, phase, reason, restarts, since_ms, revision FROM market"
            ).fetchall()
    except sqlite3.Error as error:
        warnings.append(f"store: {folder.store_db} cannot be read ({error})")
        return Store(revision=None, markets={})
    markets = {row[0]: StoreRow(bool(row[1]), *row[2:]) for row in rows}
    return Store(revision=revision, markets=markets)


def _rollout(folder: Folder, warnings: list[str]) -> Shown | None:
    try:
        return read_shown(folder.store_db)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        warnings.append(f"store: the rollout under way cannot be read ({error})")
        return None


def _why_no_supervisor(folder: Folder) -> str:
    if alive(folder, "ray") is None:
        return "Ray is gone, and every agent with it"
    if alive(folder, "supervisor") is None:
        return "its process is gone; Ray starts it again"
    return f"it does not answer within {CONTROL_PATIENCE_S:g} s"


def _baseline(folder: Folder) -> Baseline | None:
    """Against what the risk actor measures; None where it never knew the equity."""
    try:
        return msgspec.json.decode((folder.root / "risk.json").read_bytes(), type=Baseline)
    except (OSError, msgspec.MsgspecError):
        return None


def _flow(folder: Folder) -> str | None:
    """``real``, ``lively`` or ``recording`` on paper; None elsewhere."""
    try:
        raw = (folder.venue / "config.json").read_bytes()
        config = msgspec.json.decode(raw, type=_VenueConfig)
    except (OSError, msgspec.MsgspecError):
        return None
    return "recording" if config.recording else config.flow


def latch(folder: Folder) -> LatchView | None:
    """The latch as it lies on disk; one that cannot be read still halts."""
    try:
        raw = folder.halt.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(raw, type=LatchView)
    except msgspec.MsgspecError:
        text = raw[:200].decode(errors="replace").strip() or "no reason given"
        at_ms = int(folder.halt.stat().st_mtime * 1000)
        return LatchView(reason=json.dumps(text), by="unknown", at_ms=at_ms)
