"""``fleet ledger check|rebuild``: the books made once more from log and venue, and compared."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find, identity
from fleet.cli.said import note
from fleet.folder import Folder
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.gateway.core.cloids import instance_digits, parse
from fleet.gateway.records import Filled
from fleet.ledger.cash import cash
from fleet.ledger.main import new_of, take_new
from fleet.ledger.query import LedgerUnreadable
from fleet.ledger.rebuild import copied, differences, rebuilt
from fleet.processes import alive

PATIENCE_S: Final = 20.0
PAGE: Final = 2_000


def run(output: Output, fleet: str | None, *, replace: bool) -> None:
    folder = find(fleet)
    if not any(folder.actions.glob("*.log")):
        text = f"{folder.actions} holds no action log to build from"
        raise Failure(ExitCode.INVALID, text, "a fleet writes it once it runs")
    told = _venue_fills(folder)
    new = new_of(folder)
    now = new.with_suffix(".copy")
    seq = copied(folder.ledger_db, now) if folder.ledger_db.exists() else None
    with closing(rebuilt(folder.actions, new, now, told or (), seq)):
        pass
    try:
        apart = differences(now, new) if seq is not None else ["there was no ledger"]
        drifts = [row.text for row in cash(new).values() if not row.balanced]
    except LedgerUnreadable as error:
        apart, drifts = [str(error)], []
    _drop(now)
    if replace:
        _replace(folder, new)
        note(folder, "ledger rebuild", outcome="; ".join(apart) or "the same")
    else:
        _drop(new)
    if output == "json":
        put_json({"venue_asked": told is not None, "differences": apart, "drift": drifts,
                  "replaced": replace})  # fmt: skip
        return
    _tell(apart, drifts, asked=told is not None, replaced=replace)


def _tell(apart: list[str], drifts: list[str], *, asked: bool, replaced: bool) -> None:
    source = "action log and venue" if asked else "action log alone: the gateway does not answer"
    put(f"made again from the {source}")
    for line in apart:
        put(f"differs  {line}")
    for line in drifts:
        put(f"drift    {line}")
    if not apart:
        put("the same as the ledger in use" + (", which it replaces" if replaced else ""))
    elif not replaced:
        put("fleet ledger rebuild puts it in the place of the one in use")


def _replace(folder: Folder, new: Path) -> None:
    """The ledger's process takes it, and reads on where it ends; without one it is put there."""
    new.with_suffix(".ready").touch(mode=0o600)
    if alive(folder, "ledger") is None:
        take_new(folder)
        return
    deadline_s = time.monotonic() + PATIENCE_S
    while new.exists():
        if time.monotonic() > deadline_s:
            text = "the ledger's process did not take it"
            raise Failure(ExitCode.NOT_CONVERGED, text, "see: fleet logs ledger")
        time.sleep(0.1)


def _drop(new: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        new.with_name(new.name + suffix).unlink(missing_ok=True)


def _venue_fills(folder: Folder) -> list[Filled] | None:
    """Every fill since the fleet began that the venue still tells; None where it can't be asked."""
    from agents.exchange.codec_account import to_fill
    from agents.exchange.wire_account import WsFill

    known = identity(folder)
    if known is None:
        return None
    digits, since_ms = instance_digits(known.instance), known.created_ms
    found: list[Filled] = []
    while True:
        request = {"type": "userFillsByTime", "user": known.address, "startTime": since_ms}
        try:
            answer: Any = GatewayClient(folder).post("/v1/info", request)
            rows = msgspec.convert(answer, list[WsFill], strict=False)
        except (Unreachable, ApiFailure) as error:
            say(f"the venue's fills are not looked at: {error}")
            return None
        except msgspec.MsgspecError as error:
            raise Failure(ExitCode.UNEXPECTED, f"the venue's fills: {error}", "try again") from None
        for fill in map(to_fill, rows):
            origin = parse(fill.cloid)
            ours = origin is not None and origin.instance == digits
            found.append(Filled(fill, ours=ours, mid_px=None))
        last_ms = max((row.time for row in rows), default=since_ms)
        if len(rows) < PAGE or last_ms <= since_ms:
            return found
        since_ms = last_ms
