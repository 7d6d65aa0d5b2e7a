"""The embedded exchange: actions queue up, a block runs them by class, outputs tell the world."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from agents.market.types import Coin
from agents.sim.market import Execution, Market, Placement, RestingOrder
from agents.sim.outputs import Output
from agents.sim.universe import Universe


class Exchange:
    """Hyperliquid's perps, single-threaded, without clock or chance.

    A block is ``begin(now_ms)``, any number of ``place_flow`` and ``cancel_flow``, then
    ``block(now_ms)``. ``begin`` may be left out where no flow acts.
    """

    def __init__(
        self,
        universe: Universe,
        *,
        markets: Mapping[Coin, Market] | None = None,
        maker_rate: Decimal = Decimal("0.00015"),
        taker_rate: Decimal = Decimal("0.00045"),
    ) -> None:
        """``markets``: matching of these coins (a tape's); every other coin gets an order book."""
        raise NotImplementedError

    def fund(self, address: str, usd: Decimal) -> None:
        """Credit ``usd`` of each DEX's own collateral to the address, on every DEX."""
        raise NotImplementedError

    def submit(
        self,
        ticket: int,
        signer: str,
        action: Mapping[str, object],
        nonce: int,
        *,
        vault: str | None = None,
        expires_after_ms: int | None = None,
    ) -> None:
        """Queue a signed action for the next block. Raises UnknownRequest (422) on its shape."""
        raise NotImplementedError

    def begin(self, now_ms: int) -> None:
        """Open the block of this time, so that flow may act in it."""
        raise NotImplementedError

    def place_flow(self, coin: Coin, order: RestingOrder) -> Placement:
        """Match an order whose owner is a flow's name, not an address. Never refused for money."""
        raise NotImplementedError

    def cancel_flow(self, coin: Coin, oid: int) -> bool:
        """Take a flow's order out; False if it no longer rests."""
        raise NotImplementedError

    def tape_fill(self, coin: Coin, executions: Sequence[Execution], now_ms: int) -> None:
        """Book fills that a tape gave resting account orders; rows go out with the next block."""
        raise NotImplementedError

    def block(self, now_ms: int) -> tuple[Output, ...]:
        """Run what is queued; outputs in order: answers, prints, touches, rows, accounts."""
        raise NotImplementedError

    def next_oid(self) -> int:
        """A fresh order id, strictly rising across all markets."""
        raise NotImplementedError

    def set_oracle(self, coin: Coin, px: Decimal) -> None:
        """The oracle price of a coin, shown in its ctx and used by the price band."""
        raise NotImplementedError

    def info(self, request: Mapping[str, object], now_ms: int) -> object:
        """A JSON-ready ``/info`` answer. Raises UnknownRequest (422) on type or shape."""
        raise NotImplementedError

    def l2(
        self,
        coin: Coin,
        depth: int = 20,
        n_sig_figs: int | None = None,
        mantissa: int | None = None,
    ) -> dict[str, object]:
        """The ``l2Book`` row of a coin at the last block's time."""
        raise NotImplementedError

    def bbo(self, coin: Coin) -> dict[str, object]:
        """The ``bbo`` row of a coin."""
        raise NotImplementedError

    def ctx(self, coin: Coin) -> dict[str, object]:
        """The asset context of a coin."""
        raise NotImplementedError

    def snapshot(self) -> dict[str, object]:
        """Accounts, positions, open orders, ids, nonces: JSON-able."""
        raise NotImplementedError

    def restore(self, state: Mapping[str, object]) -> None:
        """Take over a snapshot; only on a fresh exchange."""
        raise NotImplementedError
