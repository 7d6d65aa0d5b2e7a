"""``fleet adopt``: what lies on the account and is not the fleet's, and how it becomes so.

fleet adopt               lists it: positions, orders, and money that nothing explains
fleet adopt MARKET        cancels what no fleet placed there; a position in it is the fleet's
                          already, one in a market outside it is shown as manifest lines
fleet adopt DEX --cash    books what nothing explains of a DEX's balance as the owner's transfer
"""

import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agents.exchange.wire_account import ClearinghouseState, FrontendOrder
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import ActRequest, CashAdopt, GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path
from fleet.gateway.core.cloids import parse
from fleet.ledger.cash import cash
from fleet.ledger.query import LedgerUnreadable

PATIENCE_S: Final = 15.0
CANCEL_S: Final = 20.0
POLL_S: Final = 0.5


class Foreign(msgspec.Struct, frozen=True):
    """One market with something in it that no fleet put there, or holds a lease for."""

    market: str
    ours: bool
    orders: int
    position_sz: float
    position_usd: float
    leverage: int


def run(name: str | None, output: Output, fleet: str | None, *, money: bool) -> None:
    folder = find(fleet)
    gateway = GatewayClient(folder, PATIENCE_S)
    try:
        status = gateway.status()
        if money:
            _cash(folder, gateway, name or "", output)
        elif name is None:
            _list(folder, list(foreign(gateway, status)), output)
        else:
            _market(gateway, status, name, output)
    except Unreachable as error:
        mend = "fleet apply MANIFEST brings it back"
        raise Failure(ExitCode.OUT_OF_REACH, f"no gateway to ask: {error}", mend) from None
    except ApiFailure as failure:
        raise Failure(failure.error.exit, failure.error.text, failure.error.mend) from None


def foreign(gateway: GatewayClient, status: GatewayStatus) -> Iterator[Foreign]:
    """By the venue's own answers, of every DEX: foreign orders, positions outside the fleet."""
    ours = {view.market for view in status.markets}
    for dex in status.dexes:
        user = {"user": status.address, "dex": dex.dex}
        rows = _ask(gateway, {"type": "frontendOpenOrders", **user}, list[FrontendOrder])
        state = _ask(gateway, {"type": "clearinghouseState", **user}, ClearinghouseState)
        orders: dict[str, int] = {}
        for row in rows:
            if parse(row.cloid) is None:
                orders[row.coin] = orders.get(row.coin, 0) + 1
        held = {row.position.coin: row.position for row in state.asset_positions}
        for market in sorted(orders.keys() | (held.keys() - ours)):
            position = held.get(market)
            yield Foreign(
                market=market,
                ours=market in ours,
                orders=orders.get(market, 0),
                position_sz=float(position.szi) if position else 0.0,
                position_usd=float(position.position_value) if position else 0.0,
                leverage=position.leverage.value if position else 1,
            )


def _ask(gateway: GatewayClient, request: dict[str, object], kind: Any) -> Any:  # noqa: ANN401  # the type asked for
    return msgspec.convert(gateway.post("/v1/info", request), kind, strict=False)


def _list(folder: Folder, found: list[Foreign], output: Output) -> None:
    drifts = _drifts(folder)
    if output == "json":
        put_json({"markets": found, "cash": drifts})
        return
    for row in found:
        whose = "a market of the fleet" if row.ours else "outside the fleet"
        put(f"{row.market:<12} {row.orders} foreign orders, position {row.position_sz:g} ({whose})")
    for drift in drifts:
        put(f"{drift['dex'] or '(main)':<12} {drift['text']}")
    if found or drifts:
        put("take over: fleet adopt MARKET, fleet adopt DEX --cash")
    else:
        put("nothing on the account is not the fleet's")


def _drifts(folder: Folder) -> list[dict[str, Any]]:
    try:
        rows = cash(folder.ledger_db).values()
    except LedgerUnreadable:
        return []
    return [{"dex": r.dex, "token": r.token, "amount": float(r.drift), "text": r.text}
            for r in rows if not r.balanced]  # fmt: skip


def _market(gateway: GatewayClient, status: GatewayStatus, market: str, output: Output) -> None:
    row = next((each for each in foreign(gateway, status) if each.market == market), None)
    view = next((each for each in status.markets if each.market == market), None)
    if view is None:
        if row is None or not row.position_sz:
            text = f"{market} is no market of the fleet, and holds nothing"
            raise Failure(ExitCode.INVALID, text, "fleet adopt lists what there is")
        lines = manifest_lines(row)
        if output == "json":
            put_json({"market": market, "orders_cancelled": 0, "manifest": lines})
            return
        put("add these lines to the manifest's markets, then apply it:")
        for line in lines:
            put(f"  {line}")
        return
    count = row.orders if row else 0
    if count:
        _cancel(gateway, status, market)
    if output == "json":
        position_sz = float(view.position_sz)
        put_json({"market": market, "orders_cancelled": count, "position_sz": position_sz})
        return
    put(f"{market}: {count} foreign orders cancelled; its position of {view.position_sz:f} is the"
        " fleet's to quote around")  # fmt: skip


def manifest_lines(row: Foreign) -> list[str]:
    """A market that can hold the position as it is, at the leverage that it has."""
    dex, _, asset = row.market.rpartition(":")
    margin_usd = -(-abs(row.position_usd) * 1.5 // max(1, row.leverage)) + 10
    lines = [f"- asset: {asset}", *([f"  dex: {dex}"] if dex else [])]
    return [*lines, f"  margin_usd: {margin_usd:.0f}", f"  leverage: {row.leverage}"]


def _cancel(gateway: GatewayClient, status: GatewayStatus, market: str) -> None:
    """Ask until the venue lists none any more; exit 4 if some stay."""
    deadline_s = time.monotonic() + CANCEL_S
    said = ActRequest(by=me())
    while True:
        gateway.post(market_path(market, "adopt"), said)
        time.sleep(POLL_S)
        left = sum(each.orders for each in foreign(gateway, status) if each.market == market)
        if not left:
            return
        if time.monotonic() > deadline_s:
            text = f"{market}: {left} foreign orders still rest"
            raise Failure(ExitCode.NOT_CONVERGED, text, "whoever placed them places them again?")


def _cash(folder: Folder, gateway: GatewayClient, dex: str, output: Output) -> None:
    try:
        row = cash(folder.ledger_db).get(dex)
    except LedgerUnreadable as error:
        raise Failure(ExitCode.UNEXPECTED, f"ledger: {error}", "fleet ledger rebuild") from None
    if row is None or row.balanced:
        text = f"every cent of {dex or 'the main DEX'} is explained"
        raise Failure(ExitCode.INVALID, text, "there is nothing to adopt")
    wanted = CashAdopt(dex, row.token, row.drift, row.as_of_ms, me())
    gateway.post("/v1/books/adopt", wanted)
    if output == "json":
        put_json({"dex": dex, "token": row.token, "amount": float(row.drift)})
        return
    put(f"{row.drift:+f} {row.token} on {dex or 'the main DEX'} is booked as a transfer of yours")
    say("its markets quote again once the ledger has looked, within a minute")
