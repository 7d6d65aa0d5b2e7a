"""One market's engine: event in, decision, commands out; no clock, no socket, no chance.

    event -> handler -> (state) -> verdict -> quotes -> wanted minus live -> commands

The shell feeds it market data, answers and a ``Tick`` each 100 ms, in the order they came, and
carries out what it returns. Phases: BOOT, RECONCILING until the venue holds no order of ours that
we don't know, WARMUP until the estimators know enough, then QUOTING or, where something forbids
to add, REDUCING; DRAINING, PAUSED and HALTED as told or found.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from agents import events
from agents.commands import Command, Report
from agents.events import Event
from agents.exchange.downstream import LeaseFrame
from agents.handlers import account, control, market, orders, portfolio, timer
from agents.handlers.explain import Explanation, explain
from agents.handlers.report import report
from agents.skew import Problem
from agents.state import EngineState

HANDLERS: Final[Mapping[type[Event], Callable[[EngineState, Any, int], None]]] = {
    events.Book: market.on_book,
    events.Bbo: market.on_bbo,
    events.Trades: market.on_trades,
    events.AssetCtx: market.on_ctx,
    events.BeliefsFound: market.on_beliefs,
    events.PlaceAnswered: orders.on_place_answered,
    events.CancelAnswered: orders.on_cancel_answered,
    events.RequestRefused: orders.on_request_refused,
    events.OutcomeUnknown: orders.on_outcome_unknown,
    events.OrderUpdate: orders.on_order_update,
    events.OrderStatus: orders.on_order_status,
    events.OpenOrders: orders.on_open_orders,
    events.Fills: account.on_fills,
    events.PositionSeen: account.on_position_seen,
    events.LinkChanged: control.on_link,
    events.FenceChanged: control.on_fence,
    events.DirectiveReceived: control.on_directive,
    events.GammaRowReceived: portfolio.on_row,
    events.HoldingsSeen: portfolio.on_holdings,
    events.LimitsChanged: control.on_limits,
    events.BudgetChanged: control.on_budget,
    events.SettingsChanged: control.on_settings,
    events.DrainRequested: control.on_drain,
    events.PauseChanged: control.on_pause,
    events.JournalLost: control.on_journal_lost,
    events.SkewSolved: control.on_skew,
    events.Tick: timer.on_tick,
}


class Engine:
    """The machine. After an ``Exit`` command it says nothing more."""

    def __init__(self, lease: LeaseFrame, now_ns: int) -> None:
        self.state = EngineState(lease, now_ns)
        for row in lease.state.open_orders:
            if self.state.cloids.is_ours(row.cloid):
                self.state.tracker.adopt(row, now_ns)

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take one event; return what to do, in order. ``now_ns``: unix time that never steps."""
        state = self.state
        if state.left:
            return []
        state.out = []
        HANDLERS[type(event)](state, event, now_ns)
        state.event_ns = now_ns
        return state.out

    @property
    def problem(self) -> Problem | None:
        """What the shell is to solve when it has nothing else to do, and answer by ``SkewSolved``.

        None: the skew in force serves. Nothing waits for it.
        """
        pricing, table = self.state.pricing, self.state.skew
        problem = None if pricing is None else pricing.quoting.problem
        return None if table is not None and problem and table.serves(problem) else problem

    def report(self, now_ns: int) -> Report:
        """The report of this moment."""
        return report(self.state, now_ns)

    def explain(self, now_ns: int) -> Explanation:
        """Why it quotes as it does: the last decision, term by term. Asking changes nothing."""
        return explain(self.state, now_ns)
