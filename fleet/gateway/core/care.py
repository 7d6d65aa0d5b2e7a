"""The caretaker at work: which markets it has, under what mandate, and what it sends.

It takes a generation like anyone, once it has to place something. An agent that acquires takes its
market back; what the caretaker left resting is cleared like any older lease's orders.
"""

from typing import Final

import msgspec

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.market.types import Cloid
from agents.market.units import MS_PER_S
from fleet.gateway.core import agents, cloids, handover, requests
from fleet.gateway.core.caretaker import Cause, Mandate, Sight, Wanted, Working, decide
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.door import Checked
from fleet.gateway.core.effects import Alert, Effect, KeepLeases, KeepMarket, Record
from fleet.gateway.core.orders import Order
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.state import FLEET, Care, MarketRow, State
from fleet.gateway.records import LeaseIssued

DRAIN_GRACE_MS: Final = 5_000
"""So long a draining agent may stay beyond its deadline, to leave by itself."""


def tick(state: State, now_ms: int) -> list[Effect]:
    """Look after every market; call it a few times a second."""
    effects: list[Effect] = []
    if not state.link.ever:
        return effects
    for market, row in state.markets.items():
        effects += _overstayed(state, market, row, now_ms)
        mandate = mandate_of(state, market, row, now_ms)
        care = state.cares.get(market)
        if mandate is None:
            effects += handover.end(state, market, now_ms)
            effects += _flattened(state, market, row)
            continue
        if care is None:
            care = state.cares[market] = Care(market=market, mandate=mandate, since_ms=now_ms)
        elif (care.mandate.cause, care.mandate.do) == (mandate.cause, mandate.do):
            mandate = msgspec.structs.replace(mandate, acting_ms=care.mandate.acting_ms)
        else:
            care.told = False
        care.mandate = mandate
        effects += _step(state, care, row, now_ms)
    for market in state.cares.keys() - state.markets.keys():
        effects += handover.end(state, market, now_ms)
    return effects


def mandate_of(state: State, market: str, row: MarketRow, now_ms: int) -> Mandate | None:
    """What the manifest and the operator want done here now; None: it is nobody's business."""
    position_sz = state.account.position(market).sz
    orphan = row.settings.on_orphan
    if not position_sz:
        return None
    if row.flatten:
        cause: Cause = "halt" if state.fence.latch is not None else "flatten"
        return Mandate(cause, "flatten", orphan.collar_bps, now_ms)
    if market in state.leases.holders:
        return None
    if row.draining_ms is not None and state.fence.latch is None:
        over = now_ms >= row.draining_ms
        do = row.settings.drain.then if over else "reduce"
        return Mandate("drain", do, orphan.collar_bps, now_ms)
    if state.fence.latch is not None or now_ms < due_ms(state, market, row):
        return Mandate("orphan", "hold", orphan.collar_bps, now_ms)
    return Mandate("orphan", orphan.do, orphan.collar_bps, now_ms)


def due_ms(state: State, market: str, row: MarketRow) -> int:
    """When ``on_orphan`` sets in."""
    lease, care = state.leases.rows.get(market), state.cares.get(market)
    since_ms = lease.ended_ms if lease is not None and lease.ended_ms else 0
    if not since_ms:  # no lease ever ended here: the position was found
        since_ms = care.since_ms if care is not None else 2**62
    return since_ms + round(row.settings.on_orphan.after_s * MS_PER_S)


def busy(state: State, market: str) -> bool:
    """Whether it still has something to do here, so that the market can't be forgotten yet.

    A position that drained and has no agent any more is its business before it has looked.
    """
    care, row = state.cares.get(market), state.markets.get(market)
    if care is not None or row is None:
        return care is not None and care.mandate.do != "hold"
    left = row.draining_ms is not None and market not in state.leases.holders
    return left and bool(state.account.position(market).sz)


def _overstayed(state: State, market: str, row: MarketRow, now_ms: int) -> list[Effect]:
    if row.draining_ms is None or now_ms < row.draining_ms + DRAIN_GRACE_MS:
        return []
    return agents.end_lease(state, market, "the drain is over", now_ms)


def _flattened(state: State, market: str, row: MarketRow) -> list[Effect]:
    """What an operator wanted closed is closed, once; the market stays paused."""
    if not row.flatten or row.flatten == "halt" or state.account.position(market).sz:
        return []
    if market in state.clearings or any(True for _ in state.orders.resting(market)):
        return []
    row.flatten = ""
    return [KeepMarket(market=market)]


# ── one market ───────────────────────────────────────────────────────────────────────────────


def _step(state: State, care: Care, row: MarketRow, now_ms: int) -> list[Effect]:
    effects: list[Effect] = []
    market = care.market
    if care.mandate.do != "hold" or now_ms >= due_ms(state, market, row):
        effects += _tell(state, care)
    waits = _not_yet(state, care)
    if waits:
        care.waits = waits
        return effects
    if care.mandate.cause in {"flatten", "halt"}:
        others = [o for o in state.orders.resting(market) if o.generation != care.generation]
        if others:
            care.waits = "other orders of the market are being cancelled"
            return effects + _cancel_old(state, others, now_ms)
    sight = _sight(state, care, now_ms)
    if sight is None:
        return effects
    move = decide(care.mandate, sight, now_ms)
    care.waits = move.waits
    if move.cancel:
        gone = [Target(market=market, cloid=cloid, oid=None) for cloid in move.cancel]
        effects += _cancel_targets(state, gone, now_ms)
    if move.place is not None:
        effects += _place(state, care, move.place, now_ms)
    return effects


def _not_yet(state: State, care: Care) -> str:
    """Why it may not act, whatever it sees."""
    if state.link.state != "up":
        return "the venue's connection is down"
    fleet = state.clearings.get(FLEET)
    if state.fence.latch is not None and (fleet is None or not fleet.done):
        return "the halt is being proven"
    if care.market in state.clearings:
        return "orders of the last lease are being cleared"
    if care.mandate.do != "hold" and state.unwritable:
        return "; ".join(state.unwritable.values())
    return ""


def _tell(state: State, care: Care) -> list[Effect]:
    """Once, a person is told (I19)."""
    if care.told:
        return []
    care.told = True
    sz = state.account.position(care.market).sz
    why = {
        "orphan": "has no agent", "drain": "has left the manifest or drains",
        "flatten": "is to be closed", "halt": "is to be closed after the halt",
    }[care.mandate.cause]  # fmt: skip
    do = {"hold": "holds it", "reduce": "reduces it", "flatten": "closes it"}[care.mandate.do]
    text = f"{care.market}: a position of {sz:f} {why}; the caretaker {do}"
    severity = "info" if care.mandate.cause == "flatten" else "warning"
    return [Alert(severity, "orphan", text, care.market)]  # type: ignore[arg-type]


def _sight(state: State, care: Care, now_ms: int) -> Sight | None:
    market = care.market
    instrument = state.instrument(market)
    if instrument is None:
        return None
    touch = state.account.touches.get(market)
    mark_seen_ms = state.account.mark_seen_ms.get(market)
    mine = [
        order
        for order in state.orders.by_cloid.values()
        if order.market == market and order.generation == care.generation and care.generation
    ]
    return Sight(
        instrument=instrument,
        position_sz=state.account.position(market).sz,
        bid_px=touch.bid_px if touch else None,
        ask_px=touch.ask_px if touch else None,
        touch_age_ms=now_ms - touch.seen_ms if touch else None,
        mark_px=state.account.marks.get(market),
        mark_age_ms=now_ms - mark_seen_ms if mark_seen_ms is not None else None,
        working=tuple(_working(order) for order in mine),
        last_sent_ms=care.last_sent_ms,
    )


def _working(order: Order) -> Working:
    return Working(
        cloid=order.cloid, px=order.px, remaining_sz=order.remaining_sz,
        settled=order.state is OrderState.OPEN, touched_ms=order.touched_ms,
    )  # fmt: skip


def _cancel_old(state: State, orders: list[Order], now_ms: int) -> list[Effect]:
    targets = [Target(market=o.market, cloid=o.cloid, oid=o.oid) for o in orders]
    return _cancel_targets(state, targets, now_ms)


def _cancel_targets(state: State, targets: list[Target], now_ms: int) -> list[Effect]:
    """Each once while its answer is awaited."""
    asked = {
        key
        for pending in state.pending.values()
        if pending.purpose in {"sweep", "cancel"} and not pending.late
        for key in pending.keys
    }
    fresh = [target for target in targets if target.key not in asked]
    return list(requests.sweep(state, fresh, None, now_ms))


def _place(state: State, care: Care, wanted: Wanted, now_ms: int) -> list[Effect]:
    """Take a generation first; the order goes with the next look, once it is on the disk."""
    market, instrument = care.market, state.instrument(care.market)
    assert instrument is not None
    if not care.generation:
        care.generation, care.sequence = state.leases.take_care(market), 0
        return [KeepLeases(), Record(body=LeaseIssued(market, care.generation, pid=0))]
    care.sequence += 1
    care.last_sent_ms = now_ms
    prefix = cloids.lease_prefix(state.digits, state.leases.number(market), care.generation)
    cloid = Cloid(f"0x{prefix}{care.sequence:012x}")
    order = NewOrder(
        cloid=cloid, side=wanted.side, px=wanted.px, sz=wanted.sz, reduce_only=True,
        tif=wanted.tif,
    )  # fmt: skip
    checked = Checked(cloid=cloid, side=wanted.side, px=wanted.px, sz=wanted.sz, reduce_only=True)
    action = encode_place([order], instrument.asset_id)
    return [requests.caretake(state, market, care.generation, action, checked, now_ms)]
