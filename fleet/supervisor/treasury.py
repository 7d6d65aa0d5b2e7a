"""Moves collateral to where it is needed, one transfer at a time, and never one twice.

Each turn does one thing: settle what is under way, or begin the next move. What it waits for is
told by ``short``, so that a market is not started on a DEX that cannot carry it yet.
"""

import sqlite3
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec

from agents.telemetry.logs import Log
from fleet.gateway.api import ActionPost, GatewayStatus
from fleet.gateway.client import ApiFailure
from fleet.supervisor.actions import Gateway
from fleet.supervisor.collateral import (
    DUST,
    Shortage,
    dex_of,
    lacking,
    move_for,
    shortages,
)
from fleet.supervisor.leaving import LeavingBook, homeward
from fleet.supervisor.transfers import (
    EXPIRES_MS,
    GONE_MS,
    REFUSED_WAIT_MS,
    SPOT,
    Move,
    State,
    Transfer,
    TransferBook,
    found,
)

UNKNOWN: Final = "outcome_unknown"
PAPER: Final = "paper"
LOOK_EVERY_MS: Final = 1_000
SHORT_EVERY_MS: Final = 10_000

T = TypeVar("T")


class Call(Protocol):
    """Runs something that blocks in a thread, and gives up on it in time (``TimeoutError``)."""

    async def __call__(self, ask: Callable[[], T], /) -> T: ...


class Wanted(msgspec.Struct, frozen=True):
    """What one round wants. ``needed_usd``: by DEX; ``begins``: DEXs with a market to begin."""

    needed_usd: Mapping[str, float]
    begins: frozenset[str] = frozenset()


class Treasury:
    """Owned by the supervisor's loop; its calls to the gateway run in threads."""

    def __init__(self, db: sqlite3.Connection, gateway: Gateway, log: Log) -> None:
        self.book = TransferBook(db)
        self.leaving = LeavingBook(db)
        self._gateway = gateway
        self._log = log
        self._due_ms = 0
        self._look_ms = 0
        self._dry: set[str] = set()

    def short(self, status: GatewayStatus, wanted: Wanted) -> dict[str, str]:
        """By DEX, why nothing may begin there yet, for people; a DEX that is covered is left out.

        A DEX at an end of a transfer that has not shown in its frames is not covered either. On
        paper nobody can deposit: there a DEX begins with what can be brought.
        """
        told = {}
        under_way = self.book.open()
        covered = shortages(wanted.needed_usd, status.dexes)
        for dex in wanted.begins:
            short = covered.get(dex)
            if short is None:
                told[dex] = "its account is not known yet"
            elif under_way is not None and dex in (
                under_way.move.source,
                under_way.move.destination,
            ):
                told[dex] = f"{under_way.move} is under way"
            elif short.missing and not (dex in self._dry and status.network == PAPER):
                told[dex] = lacking(short)
        return told

    async def turn(self, status: GatewayStatus, wanted: Wanted, call: Call) -> bool:
        """Whether something was done. ``Unreachable``, ``ApiFailure``, ``TimeoutError``."""
        venue_ms = round(status.as_of_ms + status.venue_offset_ms)
        under_way = self.book.open()
        if under_way is not None:
            return await self._settle(under_way, status, venue_ms, call)
        if status.halt is not None or venue_ms < self._due_ms:
            return False
        covered = shortages(wanted.needed_usd, status.dexes)
        wants = [covered[dex] for dex in sorted(wanted.begins) if dex in covered]
        for short in wants:
            if not short.missing:
                continue
            self._due_ms = venue_ms + SHORT_EVERY_MS
            move = await self._source(short, status, covered, call)
            if move is None:
                self._dry.add(short.dex)
                continue
            cause = f"margin of DEX {short.dex}" if short.dex else "margin of the main DEX"
            return await self._begin(move, cause, venue_ms, call)
        return await self._send_home(status, venue_ms, call)

    async def _send_home(self, status: GatewayStatus, venue_ms: int, call: Call) -> bool:
        """Collateral of a DEX that left the manifest, once nothing is held there any more."""
        busy = {dex_of(view.market) for view in status.markets}
        for view in status.dexes:
            if view.dex not in self.leaving.rows() or view.dex in busy or view.margin_used:
                continue
            self._due_ms = venue_ms + SHORT_EVERY_MS
            free = (await self._free(status, [view.dex], call))[view.dex]
            move = homeward(view.dex, view.token, free)
            if move is None:
                self.leaving.done(view.dex)
            else:
                return await self._begin(move, f"{view.dex} left the manifest", venue_ms, call)
        return False

    # ── beginning one ────────────────────────────────────────────────────────────────────────

    async def _source(
        self, short: Shortage, status: GatewayStatus, covered: Mapping[str, Shortage], call: Call
    ) -> Move | None:
        user = status.address
        spot = await call(
            lambda: self._gateway.post("/v1/info", {"type": "spotClearinghouseState", "user": user})
        )
        free = await self._free(
            status,
            [v.dex for v in status.dexes if v.token == short.token and v.account_value > DUST],
            call,
        )
        tokens = {view.dex: view.token for view in status.dexes}
        return move_for(short, spot_free(spot, short.token), free, tokens, covered)

    async def _free(
        self, status: GatewayStatus, dexes: list[str], call: Call
    ) -> dict[str, Decimal]:
        """What the venue would let go of each DEX now."""
        found_free = {}
        for dex in dexes:
            request = {"type": "clearinghouseState", "user": status.address, "dex": dex}
            state = await call(partial(self._gateway.post, "/v1/info", request))
            told = state.get("withdrawable", "0") if isinstance(state, dict) else "0"
            found_free[dex] = Decimal(str(told))
        return found_free

    async def _begin(self, move: Move, cause: str, venue_ms: int, call: Call) -> bool:
        last = self.book.last()
        refused = last is not None and last.state == "refused" and last.move == move
        if refused and last is not None and venue_ms - last.intended_ms < REFUSED_WAIT_MS:
            return False
        token = await self._token_id(move.token, call)
        transfer = self.book.intend(move, cause, venue_ms)
        self._log.info("transfer.intended", id=transfer.id, move=str(move), cause=cause)
        await self._send(transfer, token, call)
        return True

    async def _token_id(self, token: str, call: Call) -> str:
        """``USDC:0x6d1e…``, as transfers name a token."""
        meta = await call(lambda: self._gateway.post("/v1/info", {"type": "spotMeta"}))
        for row in meta["tokens"] if isinstance(meta, dict) else ():
            if row["name"] == token:
                return f"{token}:{row['tokenId']}"
        return token

    async def _send(self, transfer: Transfer, token: str, call: Call) -> None:
        user = (await call(self._gateway.status)).address
        move = transfer.move
        action = {
            "type": "agentSendAsset",
            "destination": user,
            "sourceDex": move.source,
            "destinationDex": move.destination,
            "token": token,
            "amount": f"{move.amount.normalize():f}",
            "fromSubAccount": "",
            "nonce": 0,  # the gateway's to give
        }
        try:
            answer = await call(
                lambda: self._gateway.post(
                    "/v1/actions",
                    ActionPost(action, transfer.key, transfer.intended_ms + EXPIRES_MS),
                )
            )
        except ApiFailure as failure:
            if failure.error.code == UNKNOWN:
                return
            self._settled(transfer, "refused", None, failure.error.text)
            return
        if isinstance(answer, dict) and answer.get("status") == "ok":
            self._settled(transfer, "accepted")
        else:
            told = answer.get("response") if isinstance(answer, dict) else None
            self._settled(transfer, "refused", None, str(told or answer))

    # ── settling it ──────────────────────────────────────────────────────────────────────────

    async def _settle(
        self, transfer: Transfer, status: GatewayStatus, venue_ms: int, call: Call
    ) -> bool:
        if transfer.state == "accepted" and transfer.venue_ms is not None:
            return self._shown(transfer, status)
        if venue_ms < self._look_ms:
            return False
        self._look_ms = venue_ms + LOOK_EVERY_MS
        request = {
            "type": "userNonFundingLedgerUpdates",
            "user": status.address,
            "startTime": transfer.intended_ms - 1,
        }
        made_ms = found(transfer, await call(lambda: self._gateway.post("/v1/info", request)))
        if made_ms is not None:
            self._settled(transfer, "accepted", made_ms)
            return True
        if transfer.state == "intended" and venue_ms - transfer.intended_ms > GONE_MS:
            self._settled(transfer, "void", None, "no answer, and the venue does not list it")
            return True
        return False

    def _shown(self, transfer: Transfer, status: GatewayStatus) -> bool:
        """Once the frames of both ends are of a later moment, the account is as it will be."""
        made_ms, move = transfer.venue_ms, transfer.move
        assert made_ms is not None
        frames = {view.dex: view.as_of_ms for view in status.dexes}
        ends = [place for place in (move.source, move.destination) if place != SPOT]
        if any(frames.get(place, 0) <= made_ms for place in ends):
            return False
        self._settled(transfer, "shown", made_ms)
        self._due_ms = 0
        return True

    def _settled(
        self, transfer: Transfer, state: State, venue_ms: int | None = None, told: str | None = None
    ) -> None:
        self.book.settle(transfer, state, venue_ms, told)
        self._log.info(f"transfer.{state}", id=transfer.id, move=str(transfer.move), told=told)


def spot_free(state: object, token: str) -> Decimal:
    """Of ``spotClearinghouseState``: what of a token is not held by an order."""
    if not isinstance(state, dict):
        return Decimal(0)
    for row in state.get("balances", ()):
        if row.get("coin") == token:
            return Decimal(str(row["total"])) - Decimal(str(row.get("hold", "0")))
    return Decimal(0)
