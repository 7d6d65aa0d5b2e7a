"""``fleet pause unpause drain flatten restart``: an operator's word for one market, or a DEX's.

The supervisor does them, and writes down who asked. Where it is away the gateway is told itself.
"""

import time
from typing import Any, Final

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.control import Control, ControlDown
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.observe import observe
from fleet.cli.status_json import status_json
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import ActRequest
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path

PATIENCE_S: Final = 15.0
HEALTH_S: Final = 1.0
"""A supervisor that hangs must not hold up a word for the gateway."""
POLL_S: Final = 0.5
FLATTEN_S: Final = 90.0
DRAIN_MARGIN_S: Final = 90.0
_NEEDS_A_MARKET: Final = frozenset({"pause", "unpause", "flatten"})
_OF_A_DEX: Final = frozenset({"pause", "unpause"})
_DONE: Final = {
    "pause": "paused: no quotes, its agent stays warm; fleet unpause ends it",
    "unpause": "quotes again",
    "drain": "drains: only what reduces, until it is flat or out of time",
    "flatten": "is being closed by the caretaker, and paused; fleet unpause ends that",
    "restart": "is started anew",
}


def run(verb: str, name: str, output: Output, fleet: str | None, *, wait: bool = True) -> None:
    folder = find(fleet)
    markets = _meant(verb, name, _rows(folder), folder)
    for market in markets:
        tell(folder, market, verb)
        if output == "table":
            put(f"{market} {_DONE[verb]}")
    ended = True
    if wait and verb == "drain":
        ended = _follow_drain(folder, markets[0])
    elif wait and verb == "flatten":
        ended = follow_flat(folder, markets)
    if output == "json":
        rows = [row for row in _rows(folder) if row["market"] in markets]
        kept = ("market", "phase", "reason", "owner", "position_sz", "open_orders")
        told = [{key: row[key] for key in kept} for row in rows]
        put_json({"verb": verb, "markets": told, "done": ended if wait else None})
    if not ended:
        text = f"{name}: not done yet; it goes on by itself"
        raise Failure(ExitCode.NOT_CONVERGED, text, f"fleet status {name} shows how far it is")


def tell(folder: Folder, market: str, verb: str) -> None:
    """By the supervisor, else by the gateway; exit 7 where neither answers, 4 for a restart."""
    control = Control(folder, PATIENCE_S)
    try:
        if not control.healthy(HEALTH_S):
            raise ControlDown("it does not answer, or its loop does not turn")
        control.act(market, verb, me())
        return
    except ControlDown as error:
        if verb == "restart":
            text = f"the supervisor is down, and only it starts agents ({error})"
            mend = "fleet apply MANIFEST brings it back"
            raise Failure(ExitCode.NOT_CONVERGED, text, mend) from None
    say(f"{market}: the supervisor is down; telling the gateway itself")
    try:
        said = ActRequest(by=me())
        GatewayClient(folder, PATIENCE_S).post(market_path(market, verb), said)
    except Unreachable as error:
        text = f"neither supervisor nor gateway of fleet {folder.root.name} answers ({error})"
        mend = "fleet apply MANIFEST brings them back; fleet halt --direct cancels without them"
        raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
    except ApiFailure as failure:
        raise Failure(failure.error.exit, failure.error.text, failure.error.mend) from None


def _rows(folder: Folder) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = status_json(observe(folder))["markets"]
    return rows


def _meant(verb: str, name: str, rows: list[dict[str, Any]], folder: Folder) -> list[str]:
    """The market of that name, or, where that makes sense, all of the DEX of that name."""
    phases = {row["market"]: row["phase"] for row in rows}
    names = list(phases)
    if name in names:
        if phases[name] == "STOPPED" and verb in _NEEDS_A_MARKET:
            text = f"{name} is STOPPED: there is nothing to {verb}"
            raise Failure(ExitCode.INVALID, text, "fleet apply MANIFEST starts it")
        return [name]
    of_dex = [row["market"] for row in rows if row["dex"] == name and row["phase"] != "STOPPED"]
    if of_dex and verb in _OF_A_DEX:
        return of_dex
    text = f"no market {name!r} in fleet {folder.root.name}"
    raise Failure(ExitCode.INVALID, text, f"its markets: {', '.join(names) or 'none'}")


def _follow_drain(folder: Folder, market: str) -> bool:
    """Say what changes until it is STOPPED; False if that takes longer than it may."""
    deadline_s, told = time.monotonic() + _drain_s(folder, market) + DRAIN_MARGIN_S, ""
    while time.monotonic() < deadline_s:
        document = status_json(observe(folder), market)
        row = next(iter(document["markets"]), None)
        if row is None or row["phase"] == "STOPPED":
            say(f"{market} STOPPED")
            return True
        if document["supervisor"] == "down" and _has_left(row):
            say(f"{market} has left: flat, and no order rests; the supervisor will note it STOPPED")
            return True
        now = f"{market} {row['phase']}  position {row['position_sz']:.10g}  {row['reason'] or ''}"
        if now != told:
            say(now)
            told = now
        time.sleep(POLL_S)
    return False


def _has_left(row: dict[str, Any]) -> bool:
    gone = row["phase"] == "DRAINING" and row["owner"] == "none"
    return gone and not row["position_sz"] and not row["open_orders"]


def _drain_s(folder: Folder, market: str) -> float:
    try:
        status = GatewayClient(folder, PATIENCE_S).status()
    except (Unreachable, ApiFailure):
        return 0.0
    return next((m.settings.drain.passive_s for m in status.markets if m.market == market), 0.0)


def follow_flat(folder: Folder, markets: list[str]) -> bool:
    """Say how positions shrink until all are closed; False if that takes longer than it may."""
    deadline_s, told = time.monotonic() + FLATTEN_S, ""
    while time.monotonic() < deadline_s:
        rows = [row for row in _rows(folder) if row["market"] in markets]
        held = [f"{row['market']} {row['position_sz']:.10g}" for row in rows if row["position_sz"]]
        if not held:
            say("flat     no position is left")
            return True
        if ", ".join(held) != told:
            told = ", ".join(held)
            say(f"open     {told}")
        time.sleep(POLL_S)
    return False
