"""What the invariants look at in a world, and where their findings are collected."""

from collections import Counter
from decimal import Decimal
from typing import Final, Protocol

from agents.engine import Engine
from agents.market.types import Coin
from agents.sim.accounts import Account
from agents.sim.exchange import Exchange
from fleet.gateway.api import Caps
from fleet.gateway.core.cloids import Origin, parse
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import State
from fleet.world.crew import Crew
from fleet.world.venue_side import VenueSide

VIOLATIONS_MAX: Final = 20


class Watched(Protocol):
    """The world, as the invariants see it."""

    markets: tuple[str, ...]
    digits: str
    venue: VenueSide

    @property
    def now_ms(self) -> int: ...
    @property
    def gateway_ms(self) -> int: ...
    @property
    def gateway_state(self) -> State | None: ...
    @property
    def crew(self) -> Crew: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def account(self) -> Account: ...
    @property
    def cancels_fail(self) -> bool: ...
    @property
    def link_age_ms(self) -> int: ...
    @property
    def halted(self) -> bool: ...
    @property
    def caps(self) -> Caps | None: ...
    def overdue_ms(self, market: str, generation: int) -> int | None: ...
    def phase(self, market: str) -> str: ...


class Tally:
    """``checked`` counts what was looked at, by invariant; ``violations`` are texts."""

    def __init__(self, world: Watched) -> None:
        self.world = world
        self.checked: Counter[str] = Counter()
        self.violations: list[str] = []

    def fail(self, invariant: str, text: str) -> None:
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(f"{invariant} at {self.world.now_ms}: {text}")

    def ours(self, cloid: str | None) -> Origin | None:
        """The origin of an order of this fleet; None for a stranger's."""
        origin = parse(cloid)
        return origin if origin is not None and origin.instance == self.world.digits else None

    def position_sz(self, market: str) -> Decimal:
        """The venue's own."""
        return self.world.account.clearing(dex_of(market)).szi(Coin(market))

    def engine(self, market: str) -> Engine | None:
        return self.world.crew.engine(market)
