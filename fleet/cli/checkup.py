"""What ``fleet doctor`` looks at, one question each: a grade, what was found, and the mend."""

import email.utils
import http.client
import importlib.metadata
import os
import resource
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from fleet.cli.find import Identity
from fleet.cli.network import URLS
from fleet.folder import Folder, account_lock, home
from fleet.gateway.api import GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.guards import hung, key_missing
from fleet.ledger.cash import cash
from fleet.ledger.query import LedgerUnreadable
from fleet.manifests.spec import Account, KeySource
from fleet.processes import alive
from fleet.supervisor.store import read_spec

Grade = Literal["ok", "warning", "bad"]
MEMORY_WARN_MB: Final = 1_500
DISK_BAD_MB: Final = 200
DISK_WARN_MB: Final = 2_000
FILES_WARN: Final = 4_096
CLOCK_WARN_S: Final = 1.0
CLOCK_BAD_S: Final = 5.0
PATIENCE_S: Final = 5.0
LOG_WARN_MB: Final = 5_000
_NEEDED: Final = (
    "ray", "msgspec", "aiohttp", "websockets", "coincurve", "pydantic", "typer", "structlog",
    "zstandard",
)  # fmt: skip
_PRIVATE: Final = ("token", "ray.token", "fleet.json", "alerts.json", "venue/account.key")
_PROCESSES: Final = ("guard", "gateway", "ledger", "ray", "supervisor")


class Finding(msgspec.Struct, frozen=True):
    """``mend``: what to do about it, where something is to be done."""

    about: str
    grade: Grade
    text: str
    mend: str = ""


# ── the machine ──────────────────────────────────────────────────────────────────────────────


def python() -> Iterator[Finding]:
    found = sys.version_info
    text = f"{found.major}.{found.minor}.{found.micro} on {sys.platform}"
    fine = (3, 11) <= found[:2] <= (3, 13)
    yield Finding("python", "ok" if fine else "bad", text, "use Python 3.11 to 3.13")


def packages() -> Iterator[Finding]:
    missing = []
    for name in _NEEDED:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    text = f"missing: {', '.join(missing)}" if missing else f"all {len(_NEEDED)} are installed"
    yield Finding(
        "packages", "bad" if missing else "ok", text, "run make demo, or pip install -e ."
    )


def memory() -> Iterator[Finding]:
    """Ray and each agent need some; a machine that swaps stalls its loops."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        free_mb = int(fields["MemAvailable"].split()[0]) // 1024
    except (OSError, KeyError, ValueError):
        return
    grade: Grade = "warning" if free_mb < MEMORY_WARN_MB else "ok"
    yield Finding("memory", grade, f"{free_mb:,} MB free", "Ray and 40 agents want about 5 GB")


def descriptors() -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    grade: Grade = "warning" if soft < min(FILES_WARN, hard) else "ok"
    yield Finding("open files", grade, f"limit {soft:,} of {hard:,}", f"ulimit -n {FILES_WARN}")


def home_folder() -> Iterator[Finding]:
    place = home() if home().exists() else home().parent
    try:
        free_mb = shutil.disk_usage(place).free >> 20
    except OSError as error:
        yield Finding("disk", "bad", f"{place}: {error.strerror}", "make it, or set FLEET_HOME")
        return
    grade: Grade = "bad" if free_mb < DISK_BAD_MB else "warning" if free_mb < DISK_WARN_MB else "ok"
    yield Finding(
        "disk", grade, f"{free_mb:,} MB free for {home()}", "free some, or set FLEET_HOME"
    )
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding("disk", "bad", f"{place} cannot be written", "chown it, or set FLEET_HOME")


# ── the fleet's files ────────────────────────────────────────────────────────────────────────


def permissions(folder: Folder) -> Iterator[Finding]:
    open_ones = [
        str(path)
        for path in (folder.root, *(folder.root / name for name in _PRIVATE))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_ones:
        mend = f"chmod go-rwx {' '.join(open_ones)}"
        yield Finding("permissions", "bad", f"others may read {', '.join(open_ones)}", mend)
    else:
        yield Finding("permissions", "ok", "nobody else may read tokens and keys")


def key(folder: Folder, known: Identity | None) -> Iterator[Finding]:
    if key_missing(folder):
        mend = "export it and run fleet apply MANIFEST"
        yield Finding("key", "bad", "the guard has none and can restart no gateway", mend)
    elif alive(folder, "guard") is not None:
        yield Finding("key", "ok", "the guard holds it")
    elif known is not None and known.network == "paper":
        there = folder.account_key.exists()
        text = "the paper account's is there" if there else "the paper account's is not drawn yet"
        yield Finding("key", "ok", text)
    else:
        yield Finding("key", "ok", "asked for at the next apply; fleet keys MANIFEST checks it")


def halt_key(folder: Folder) -> Iterator[Finding]:
    """Whether ``halt --direct`` would find its own wallet's key: looked for, never read."""
    account = _account(folder)
    if account is not None and account.halt_wallet is not None:
        yield _source("halt wallet", account.halt_wallet)


def _source(about: str, source: KeySource) -> Finding:
    path = source.file or source.keystore
    name = source.env or source.passphrase_env
    missing = [f"{path} is not there"] if path and not Path(path).expanduser().exists() else []
    missing += [f"{name} is not set"] if name and name not in os.environ else []
    text = f"halt --direct: {', '.join(missing)}" if missing else "halt --direct finds its own"
    mend = "put it where account.halt_wallet says, on the machine that would halt"
    return Finding(about, "warning" if missing else "ok", text, mend)


def _account(folder: Folder) -> Account | None:
    try:
        held = read_spec(folder.store_db)
    except (sqlite3.Error, OSError):
        return None
    return held[1].account if held is not None else None


def clock(folder: Folder, known: Identity | None) -> Iterator[Finding]:
    """Against the venue's frames where a gateway runs, else against the network's answer."""
    status = _status(folder)
    if status is not None:
        yield _clock(abs(status.venue_offset_ms) / 1_000, "the venue's frames")
        return
    url = URLS.get(known.network) if known is not None else None
    if url is None:
        return
    parts = urlsplit(url)
    line = http.client.HTTPSConnection(parts.netloc, timeout=PATIENCE_S)
    try:
        line.request("POST", "/info", b'{"type":"perpDexs"}', {"Content-Type": "application/json"})
        told = line.getresponse().headers.get("Date")
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error)
        mend = "check this machine's network and proxy"
        yield Finding("network", "bad", f"{parts.netloc} is out of reach: {why}", mend)
        return
    finally:
        line.close()
    yield Finding("network", "ok", f"{parts.netloc} answers")
    if told is not None:
        at_s = email.utils.parsedate_to_datetime(told).timestamp()
        yield _clock(max(0.0, abs(time.time() - at_s) - 1.0), parts.netloc)


def _clock(off_s: float, by: str) -> Finding:
    grade: Grade = "bad" if off_s > CLOCK_BAD_S else "warning" if off_s > CLOCK_WARN_S else "ok"
    mend = "let the system keep its time (chrony, systemd-timesyncd)"
    return Finding("clock", grade, f"{off_s:.2f} s off by {by}", mend)


# ── what runs ────────────────────────────────────────────────────────────────────────────────


def processes_of(folder: Folder) -> Iterator[Finding]:
    live = [name for name in _PROCESSES if alive(folder, name) is not None]
    mend = "fleet apply MANIFEST brings back what is missing"
    if not live:
        yield Finding("processes", "ok", "none runs", mend)
        return
    gone = [name for name in _PROCESSES if name not in live]
    text = f"gone: {', '.join(gone)}" if gone else f"all {len(live)} live"
    yield Finding("processes", "bad" if gone else "ok", text, mend)
    why = hung(folder)
    if why is not None:
        yield Finding("guard", "bad", why, "fleet apply replaces it")
    status = _status(folder)
    if status is None:
        if "gateway" in live:
            yield Finding("gateway", "bad", "it lives and does not answer", "the guard replaces it")
        return
    up = status.link == "up"
    yield Finding("venue", "ok" if up else "bad", f"{status.url}: link {status.link}",
                  "check the network; quoting goes on by itself")  # fmt: skip
    if status.halt is not None:
        text = f"halted by {status.halt.by}: {status.halt.reason}"
        yield Finding("halt", "warning", text, "fleet resume --reason TEXT once the cause is gone")
    if status.unwritable is not None:
        yield Finding("files", "bad", status.unwritable, "free some disk")
    for cause, why in status.cautions.items():
        yield Finding(cause, "bad", why, "until it is mended the fleet only reduces")


def limits(folder: Folder) -> Iterator[Finding]:
    """What is rationed: request weight a minute, the account's lifetime allowance."""
    status = _status(folder)
    if status is None:
        return
    used = status.ip_weight_used_share
    yield Finding("IP weight", "warning" if used > 0.7 else "ok", f"{used:.0%} of a minute's used",
                  "fewer markets, or wider requote tolerance")  # fmt: skip
    held = status.allowance
    if held.left is not None:
        hours = "" if held.hours_to_empty is None else f", empty in {held.hours_to_empty:,.0f} h"
        grade: Grade = "bad" if held.left <= 0 else "warning" if held.left < 1_000 else "ok"
        mend = "trade more per request, or buy some: requests.buy_max_usd_per_day"
        yield Finding("requests", grade, f"{held.left:,} left{hours}", mend)


def books(folder: Folder) -> Iterator[Finding]:
    try:
        found = cash(folder.ledger_db)
    except LedgerUnreadable as error:
        yield Finding("ledger", "bad", str(error), "fleet ledger rebuild")
        return
    for row in found.values():
        if not row.balanced:
            mend = "fleet ledger check; if it is yours: fleet adopt DEX --cash"
            yield Finding("ledger", "bad", row.text, mend)
    if found and all(row.balanced for row in found.values()):
        yield Finding("ledger", "ok", f"every cent of {len(found)} DEXs is explained")


def stale(folder: Folder) -> Iterator[Finding]:
    """What a machine that died may have left behind."""
    live = alive(folder, "guard") is not None
    for path in (folder.gateway_sock, folder.control_sock):
        if path.exists() and not live:
            yield Finding("stale", "ok", f"{path} is left over; the next apply replaces it")
    size_mb = (
        sum(p.stat().st_size for p in folder.logs.glob("*")) >> 20 if folder.logs.exists() else 0
    )
    if size_mb > LOG_WARN_MB:
        yield Finding("logs", "warning", f"{size_mb:,} MB in {folder.logs}", "remove the oldest")
    locks = account_lock("any", "0x").parent
    if locks.exists() and not os.access(locks, os.W_OK):
        yield Finding("locks", "bad", f"{locks} cannot be written", f"chown it to {os.getuid()}")


def _status(folder: Folder) -> GatewayStatus | None:
    try:
        return GatewayClient(folder, PATIENCE_S).status()
    except (Unreachable, ApiFailure, msgspec.MsgspecError):
        return None
