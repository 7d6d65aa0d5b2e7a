"""What of ours rests at the venue: counted by the gateway and by its engine, never meeting itself.

Looked at after every event, so it is kept as sets that change only when the venue's truth does: a
comparison of sets with what is known costs next to nothing while all is well.
"""

from decimal import Decimal
from typing import Final

from agents.exchange.wire import placed
from agents.market.types import Side
from agents.orders.cloid import PREFIX_DIGITS
from fleet.gateway.core.effects import Submit
from fleet.world.tally import Tally

LISTED_MS: Final = 3_000
"""By then the venue's own lists have come after a reconnect, whatever a lagging node answered."""
_PREFIX: Final = slice(2, 2 + PREFIX_DIGITS)


class Resting:
    """``refresh`` when the venue has changed, ``look`` after every event."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._fail = tally.fail
        self._ours: set[str] = set()
        self._by_lease: dict[tuple[str, str], set[str]] = {}
        self._fresh = True

    def refresh(self) -> None:
        """The venue's truth has changed: what rests, and that our two sides do not meet."""
        self._ours = set()
        self._by_lease = {}
        self._fresh = True
        best: dict[tuple[str, Side], Decimal] = {}
        for record in self._tally.world.account.open.values():
            market, side, px = record.coin, record.order.side, record.order.px
            held = best.get((market, side))
            if held is None or side.sign * (px - held) > 0:
                best[market, side] = px
            cloid = record.order.cloid
            if cloid is not None and self._tally.ours(cloid):
                self._ours.add(cloid)
                self._by_lease.setdefault((market, cloid[_PREFIX]), set()).add(cloid)
        for name in self._tally.world.markets:
            self._tally.checked["I8"] += 1
            bid, ask = best.get((name, Side.BID)), best.get((name, Side.ASK))
            if bid is not None and ask is not None and bid >= ask:
                self._fail("I8", f"{name}: our own quotes meet at {bid} and {ask}")

    def look(self, in_flight: dict[tuple[int, int], Submit]) -> None:
        """Whatever rests or may come to rest is counted: by the gateway, and by its engine."""
        self._tally.checked["I1"] += 1
        self._engines()
        world = self._tally.world
        state = world.gateway_state
        if state is None:
            return
        known = state.orders.by_cloid
        for submit in in_flight.values():
            if not expired(submit, world.venue.now_ms):
                for wire in placed(submit.action):
                    if wire.c not in known:
                        self._fail("I1", f"{wire.c} is on its way, and the gateway forgot it")
        if not self._ours <= known.keys() and world.link_age_ms >= LISTED_MS:
            for cloid in sorted(self._ours - known.keys()):
                self._fail("I1", f"{cloid} rests, and the gateway does not count it")

    def _engines(self) -> None:
        """An engine never gives up an order of its own lease that rests."""
        agents = self._tally.world.crew.agents
        for (market, prefix), resting in self._by_lease.items():
            if not (agents[market].stirred or self._fresh):
                continue
            engine = self._tally.engine(market)
            if engine is None or engine.state.cloids.prefix != prefix:
                continue
            live = engine.state.tracker.live.keys()
            if not resting <= live:
                for cloid in sorted(resting - live):
                    self._fail("I1", f"{cloid} rests, and its engine has given it up")
        for agent in agents.values():
            agent.stirred = False
        self._fresh = False


def expired(submit: Submit, venue_ms: int) -> bool:
    """Whether the venue would let it be by now."""
    return submit.expires_ms is not None and submit.expires_ms < venue_ms
