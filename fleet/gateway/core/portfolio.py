"""The portfolio as agents are told it: their row of Gamma from risk, the account's holdings."""

from collections.abc import Mapping
from typing import Final

import msgspec

from agents.exchange.downstream import GammaRowFrame, HoldingsFrame, ToAgent
from agents.portfolio import GammaRow, Holdings
from fleet.gateway.core.effects import Effect, Tell
from fleet.gateway.core.state import Session, State, gw

SLOT: Final = "holdings"
_encode = msgspec.json.Encoder().encode


def take_rows(state: State, rows: Mapping[str, GammaRow]) -> list[Effect]:
    """Rows of this round, each to its market's agent; an empty one ends what the agent has."""
    effects: list[Effect] = []
    for market, row in rows.items():
        held = state.gamma_rows.get(market)
        if row.bps_per_usd:
            state.gamma_rows[market] = row
        elif state.gamma_rows.pop(market, None) is None:
            continue
        session = state.session_of(market)
        if session is not None and row != held:
            effects.append(gw(session, GammaRowFrame(row=row), slot="gamma_row"))
    return effects


def holdings(state: State, now_ms: int) -> Holdings:
    """Positions at their marks; one whose price is not known is left out, as it is by risk."""
    found: dict[str, float] = {}
    for market in state.markets:
        sz = state.account.position(market).sz
        mark_usd = state.mark_usd(market) if sz else None
        if mark_usd is not None:
            found[market] = float(sz) * mark_usd
    return Holdings(as_of_ms=now_ms, usd=found)


def holdings_frames(state: State, now_ms: int) -> list[Effect]:
    """To every agent that has a row; a waiting one gives way to a newer."""
    if not state.gamma_rows or state.link.state != "up":
        return []
    sessions = [
        session
        for market in state.gamma_rows
        if (session := state.session_of(market)) is not None and not session.awaits_link
    ]
    if not sessions:
        return []
    data = _encode(ToAgent(data=HoldingsFrame(holdings=holdings(state, now_ms))))
    return [Tell(session=session.id, data=data, slot=SLOT) for session in sessions]


def lease_frames(state: State, session: Session, now_ms: int) -> list[Effect]:
    """What a new holder of a lease needs beside it."""
    row = state.gamma_rows.get(session.market or "")
    if row is None:
        return []
    told = HoldingsFrame(holdings=holdings(state, now_ms))
    return [gw(session, GammaRowFrame(row=row)), gw(session, told, slot=SLOT)]
