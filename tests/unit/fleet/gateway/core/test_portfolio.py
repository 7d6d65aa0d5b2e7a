"""Rows to their market's agent, holdings to all who have a row, both to who enters."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from agents.exchange.downstream import GammaRowFrame, HoldingsFrame, ToAgent
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from agents.portfolio import GammaRow
from fleet.gateway.core import control, portfolio
from fleet.gateway.core.effects import Effect, Tell
from fleet.gateway.core.status import status
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World

ROW = GammaRow(1, 0.01, {"BTC": 0.008, "hyna:BTC": 0.002})
NO_ROW = GammaRow(2, 0.0, {})


def frames(effects: Sequence[Effect]) -> list[tuple[int, object]]:
    told: list[tuple[int, object]] = []
    for effect in effects:
        assert isinstance(effect, Tell)
        told.append((effect.session, msgspec.json.decode(effect.data, type=ToAgent).data))
    return told


def entered() -> World:
    world = World(seed=5)
    for session, market in ((1, "BTC"), (2, "hyna:BTC")):
        Agent(world, session, market)
    world.run(1_500)
    return world


def test_a_row_goes_to_its_agent_once_and_ends_once() -> None:
    state = entered().state
    assert frames(portfolio.take_rows(state, {"BTC": ROW})) == [(1, GammaRowFrame(row=ROW))]
    assert portfolio.take_rows(state, {"BTC": ROW}) == []
    assert frames(portfolio.take_rows(state, {"BTC": NO_ROW})) == [(1, GammaRowFrame(row=NO_ROW))]
    assert portfolio.take_rows(state, {"BTC": NO_ROW}) == []


def test_without_a_row_nobody_hears_of_holdings() -> None:
    world = entered()
    assert portfolio.holdings_frames(world.state, world.now_ms) == []
    portfolio.take_rows(world.state, {"BTC": ROW})
    told = frames(portfolio.holdings_frames(world.state, world.now_ms))
    assert [session for session, _ in told] == [1]
    view = status(world.state, world.now_ms)
    assert view.risk is None or view.risk.gamma_rows == 1


def test_holdings_are_positions_at_their_marks() -> None:
    world = entered()
    fill = Fill(
        coin=Coin("hyna:BTC"), side=Side.ASK, px=Decimal(100), sz=Decimal("0.5"),
        time_ms=world.now_ms + 1, tid=Tid(1), oid=Oid(1), cloid=Cloid("0x00"), fee=Decimal(0),
        fee_token="USDE", crossed=False, start_position_sz=Decimal(0), closed_pnl=Decimal(0),
    )  # fmt: skip
    world.state.account.take_fill(fill)
    held = portfolio.holdings(world.state, 7)
    mark_usd = world.state.mark_usd("hyna:BTC")
    assert mark_usd is not None
    assert held.as_of_ms == 7
    assert held.usd == {"hyna:BTC": -0.5 * mark_usd}


def test_who_enters_gets_both_beside_the_lease() -> None:
    world = entered()
    state = world.state
    portfolio.take_rows(state, {"hyna:BTC": ROW})
    session = state.sessions[2]
    told = [frame for _, frame in frames(portfolio.lease_frames(state, session, world.now_ms))]
    assert [type(frame) for frame in told] == [GammaRowFrame, HoldingsFrame]
    assert portfolio.lease_frames(state, state.sessions[1], world.now_ms) == []


def test_a_market_that_goes_takes_its_row_along() -> None:
    world = World(seed=5)
    portfolio.take_rows(world.state, {"hyna:BTC": ROW})
    control.delete_market(world.state, "hyna:BTC")
    assert world.state.gamma_rows == {}
