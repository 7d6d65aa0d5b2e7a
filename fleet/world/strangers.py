"""Other hands on the account: a person's own orders, and a second fleet's."""

from decimal import Decimal
from typing import Final

from agents.market.instrument import wire
from agents.market.types import Coin, Side
from agents.sim.accounts import OrderRecord
from agents.sim.flow_price import Chance
from fleet.gateway.core.cloids import lease_prefix, parse
from fleet.world.world import World

AWAY: Final = 0.10
"""So far from the mark that it hardly ever fills."""
OTHER: Final = "00000b"
_CLIP_USD: Final = Decimal(200)
_AHEAD_MS: Final = 3_600_000


class Strangers:
    """Places such orders, and takes them away again; they are never ours to touch."""

    def __init__(self, world: World, chance: Chance) -> None:
        self._world = world
        self._chance = chance
        self._acts = 0

    def foreign(self, market: str) -> None:
        """A person's order, without a name."""
        self._place(market, None)

    def second_controller(self, market: str) -> None:
        """Another fleet's order, named after our scheme."""
        self._place(market, f"0x{lease_prefix(OTHER, 1, 1)}{self._acts + 1:012x}")

    def leave(self) -> None:
        """They take their orders away."""
        for record in self.resting():
            instrument = self._world.registry.instrument(record.coin)
            assert instrument is not None
            cancel = {"a": instrument.asset_id, "o": record.order.oid}
            self._act({"type": "cancel", "cancels": [cancel]})

    def resting(self) -> list[OrderRecord]:
        """Theirs, as the venue has them now."""
        return [
            record
            for record in self._world.account.open.values()
            if (origin := parse(record.order.cloid)) is None or origin.instance == OTHER
        ]

    def _place(self, market: str, cloid: str | None) -> None:
        instrument = self._world.registry.instrument(market)
        assert instrument is not None
        side = Side.BID if self._chance.random() < 0.5 else Side.ASK
        mark_px = float(self._world.exchange.floor.mark_px(Coin(market)))
        px = instrument.passive_px(mark_px * (1 - side.sign * AWAY), side)
        order: dict[str, object] = {
            "a": instrument.asset_id, "b": side is Side.BID, "p": wire(px),
            "s": wire(instrument.floor_sz(_CLIP_USD / px)), "r": False,
            "t": {"limit": {"tif": "Gtc"}},
        }  # fmt: skip
        if cloid is not None:
            order["c"] = cloid
        self._act({"type": "order", "orders": [order], "grouping": "na"})

    def _act(self, action: dict[str, object]) -> None:
        """Under a nonce of their own key's."""
        self._acts += 1
        self._world.venue.act_for(action, self._world.venue.now_ms + _AHEAD_MS + self._acts)
