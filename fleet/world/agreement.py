"""Once all faults are over: where venue, gateway, engines and the books still differ."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from agents.market.types import Side
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import State
from fleet.world.checks import Checks
from fleet.world.tally import Tally
from fleet.world.world import FUND_USD, World

PENDING_MAX: Final = 200
REFUSALS_MAX: Final = 200
_WORKS: Final = frozenset({"QUOTING", "REDUCING"})


class Agreement:
    """``differences`` of this moment; empty where all agree."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._checks: Checks = world.checks
        self._tally = Tally(world)

    def differences(self) -> Iterator[str]:
        state = self._world.gateway_state
        if state is None:
            yield "no gateway runs"
            return
        for market in self._world.markets:
            yield from self._position(state, market)
            phase = self._world.phase(market)
            if phase not in _WORKS:
                yield f"{market}: {phase}"
            yield from self._orders(state, market)
            yield from self._settings(state, market)
        if self._checks.in_flight or state.orders.unresolved:
            yield f"{len(state.orders.unresolved)} placements unresolved"
        yield from self._books()
        yield from self._bounds(state)
        self._checks.checked["liveness"] += 1

    def _position(self, state: State, market: str) -> Iterator[str]:
        """I4: by the books, by the gateway, by the engine: as the venue has it."""
        self._checks.checked["I4"] += 1
        true_sz = self._tally.position_sz(market)
        known_sz = state.account.position(market).sz
        if known_sz != true_sz:
            yield f"{market}: the gateway holds {known_sz}, the venue {true_sz}"
        engine = self._tally.engine(market)
        believed_sz = None if engine is None else engine.state.position.sz
        if believed_sz != true_sz:
            yield f"{market}: the engine holds {believed_sz}, the venue {true_sz}"
        fills = [row.fill for row in self._checks.booked.values() if row.fill.coin == market]
        booked_sz = sum((fill.side.sign * fill.sz for fill in fills), Decimal(0))
        if booked_sz != true_sz:
            yield f"{market}: the fills booked make {booked_sz}, the venue has {true_sz}"

    def _orders(self, state: State, market: str) -> Iterator[str]:
        """Between what rests and what the engine and the gateway take for resting."""
        engine = self._tally.engine(market)
        believed = set() if engine is None else set(engine.state.tracker.live)
        counted = {order.cloid for order in state.orders.resting(market)}
        resting = {
            record.order.cloid
            for record in self._world.account.open.values()
            if record.coin == market and self._tally.ours(record.order.cloid)
        }
        for who, known in (("engine", believed), ("gateway", counted)):
            missing, ghosts = len(resting - known), len(known - resting)
            if missing or ghosts:
                yield f"{market}: {missing} orders unknown to the {who}, {ghosts} are ghosts"

    def _settings(self, state: State, market: str) -> Iterator[str]:
        """I11: what is in force is what was last applied."""
        wanted, engine = self._world.settings[market], self._tally.engine(market)
        if state.markets[market].settings != wanted:
            yield f"{market}: the gateway has other settings than were applied"
        if engine is not None and engine.state.settings != wanted:
            yield f"{market}: the engine has other settings than were applied"

    def _books(self) -> Iterator[str]:
        """I5: as many fills as the venue's; I6: cash, to the last digit."""
        checks, account = self._checks, self._world.account
        checks.checked["I6"] += 1
        if len(checks.booked) != len(account.fills):
            yield f"{len(checks.booked)} fills booked, {len(account.fills)} at the venue"
        for name in {dex_of(market) for market in self._world.markets}:
            cash = FUND_USD
            for row in checks.booked.values():
                fill = row.fill
                if dex_of(fill.coin) == name:
                    sign = 1 if fill.side is Side.BID else -1
                    cash -= sign * fill.px * fill.sz + fill.fee
            clearing = account.clearing(name)
            true = clearing.raw_usd + sum(
                (row.raw_usd for row in clearing.positions.values()), Decimal(0)
            )
            if cash != true and not account.fundings:
                yield f"{name or 'main'}: {cash} of cash by the books, {true} at the venue"

    def _bounds(self, state: State) -> Iterator[str]:
        """I13: what is awaited, known and refused stays small."""
        self._checks.checked["I13"] += 1
        if len(state.pending) > PENDING_MAX:
            yield f"{len(state.pending)} answers are still awaited"
        if len(state.sessions) > len(self._world.markets):
            yield f"{len(state.sessions)} connections for {len(self._world.markets)} markets"
        if len(state.clearings) > 0:
            yield f"{len(state.clearings)} clearings go on"
