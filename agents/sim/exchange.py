"""The embedded exchange: actions queue up, a block runs them by class, outputs tell the world."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import msgspec

from agents.market.types import Coin
from agents.sim.actions import Action, parse_action, parse_address, place_class, signed_nonce
from agents.sim.cancelling import cancel_scheduled
from agents.sim.floor import Floor
from agents.sim.funding import tick_funding
from agents.sim.halting import delist, halt, resume
from agents.sim.info import answer
from agents.sim.info_markets import asset_ctx, bbo_row, l2_row
from agents.sim.liquidating import liquidate_due
from agents.sim.market import Execution, Market, Placement, RestingOrder
from agents.sim.marks import set_oracle
from agents.sim.nonces import NonceWindow
from agents.sim.outputs import Output, TradePrint, UnknownRequest
from agents.sim.rules import DEFAULT, Rules
from agents.sim.running import run
from agents.sim.settle import book_executions, margin_cancels, within_reduce_only
from agents.sim.signers import known
from agents.sim.snapshot import dump, load
from agents.sim.transfers import deposit
from agents.sim.triggers import fire_due
from agents.sim.universe import Universe
from agents.sim.worth import tick_worth


class _Queued(msgspec.Struct, frozen=True):
    ticket: int
    signer: str
    action: Action
    nonce: int
    vault: str | None
    expires_after_ms: int | None


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
        rules: Rules = DEFAULT,
    ) -> None:
        """``markets``: matching of these coins (a tape's); every other coin gets an order book."""
        self.floor = Floor(
            universe, markets or {}, maker_rate=maker_rate, taker_rate=taker_rate, rules=rules
        )
        self._queue: list[_Queued] = []

    @property
    def universe(self) -> Universe:
        return self.floor.universe

    def fund(self, address: str, usd: Decimal) -> None:
        """Credit ``usd`` of each DEX's own collateral to the address, on every DEX."""
        deposit(self.floor, self.floor.account(parse_address(address)), usd)

    def submit(
        self,
        ticket: int,
        signer: str,
        action: Mapping[str, object] | Action,
        nonce: int,
        *,
        vault: str | None = None,
        expires_after_ms: int | None = None,
    ) -> None:
        """Queue a signed action for the next block, as received or parsed already.

        Raises UnknownRequest (422) on its shape.
        """
        parsed = parse_action(action) if isinstance(action, Mapping) else action
        if signed_nonce(parsed) not in {None, nonce}:
            raise UnknownRequest
        queued = _Queued(
            ticket,
            parse_address(signer),
            parsed,
            nonce,
            None if vault is None else parse_address(vault),
            expires_after_ms,
        )
        self._queue.append(queued)

    def begin(self, now_ms: int) -> None:
        """Open the block of this time, so that flow may act in it."""
        self.floor.open_block(now_ms)

    def place_flow(self, coin: Coin, order: RestingOrder) -> Placement:
        """Match an order whose owner is a flow's name, not an address. Never refused for money."""
        if coin in self.floor.halted:
            return Placement()
        placement = self.floor.disturb(coin).place(order, self.floor.now_ms)
        self.floor.forget_mark(coin)
        if placement.executions:
            book_executions(self.floor, coin, placement.executions, printed=True)
        margin_cancels(self.floor)
        return placement

    def cancel_flow(self, coin: Coin, oid: int) -> bool:
        """Take a flow's order out; False if it no longer rests."""
        return self.floor.disturb(coin).cancel(oid) is not None

    def tape_fill(self, coin: Coin, executions: Sequence[Execution], now_ms: int) -> None:
        """Book fills that a tape gave resting account orders; rows go out with the next block.

        A maker's order is over when its ``sz`` is 0 after these. What a reduce-only order got
        beyond its position is not booked: the order is cancelled instead.
        """
        self.floor.open_block(now_ms)
        possible = within_reduce_only(self.floor, executions)
        book_executions(self.floor, coin, possible, printed=False)

    def block(self, now_ms: int) -> tuple[Output, ...]:
        """Run what is queued; outputs in order: answers, prints, touches, rows, accounts."""
        self.floor.open_block(now_ms)
        tick_funding(self.floor)
        tick_worth(self.floor)
        cancel_scheduled(self.floor)
        liquidate_due(self.floor)
        fire_due(self.floor)
        if self._queue:
            queue, self._queue = self._queue, []
            for queued in sorted(queue, key=_block_class):  # stable: arrival order inside a class
                payload = run(
                    self.floor,
                    queued.signer,
                    queued.action,
                    queued.nonce,
                    vault=queued.vault,
                    expires_after_ms=queued.expires_after_ms,
                )
                self.floor.answer(queued.ticket, payload)
        return self.floor.drain()

    def next_oid(self) -> int:
        """A fresh order id, strictly rising across all markets."""
        return self.floor.next_oid()

    def set_oracle(self, coin: Coin, px: Decimal, marks: Sequence[Decimal] = ()) -> None:
        """The oracle price of a coin and, of a builder-deployed one, the deployer's marks."""
        set_oracle(self.floor, coin, px, marks)

    def halt(self, coin: Coin, *, halted: bool) -> None:
        """A deployer stops a market, settling it at the mark, or lets it go on."""
        if halted:
            halt(self.floor, coin)
        else:
            resume(self.floor, coin)

    def delist(self, coin: Coin) -> None:
        """End a market for good, settling it at the oracle's price."""
        delist(self.floor, coin)

    def set_oi_cap(self, coin: Coin, usd: Decimal | None) -> None:
        """Cap a market's open interest; None takes the listing's own cap again."""
        self.floor.tallies[coin].cap_usd = usd

    def set_post_only(self, *, post_only: bool) -> None:
        """Whether only post-only orders are taken, as after an upgrade of the network."""
        self.floor.post_only = post_only

    def nonce_refusal(self, nonce: int) -> str | None:
        """The venue's text where nobody could use this nonce now, else None."""
        return NonceWindow().refusal(nonce, self.floor.now_ms)

    def knows(self, address: str) -> bool:
        """Whether an address is an account here, or is or was an agent of one."""
        return known(self.floor, address)

    def master(self, signer: str) -> str:
        """Whose account the signer acts for: an agent's master, else its own."""
        agent = self.floor.agents.get(signer)
        return signer if agent is None or agent.removed else agent.master

    def info(self, request: Mapping[str, object], now_ms: int) -> object:
        """A JSON-ready ``/info`` answer. Raises UnknownRequest (422) on type or shape."""
        return answer(self.floor, request, now_ms)

    def l2(
        self,
        coin: Coin,
        depth: int = 20,
        n_sig_figs: int | None = None,
        mantissa: int | None = None,
    ) -> dict[str, object]:
        """The ``l2Book`` row of a coin at the last block's time."""
        return l2_row(self.floor, coin, depth, n_sig_figs, mantissa)

    def bbo(self, coin: Coin) -> dict[str, object]:
        """The ``bbo`` row of a coin."""
        return bbo_row(self.floor, coin)

    def ctx(self, coin: Coin) -> dict[str, object]:
        """The asset context of a coin."""
        return asset_ctx(self.floor, coin)

    def recent_trades(self, coin: Coin) -> tuple[TradePrint, ...]:
        """The last prints of a coin, oldest first."""
        return tuple(self.floor.tallies[coin].trades)

    def snapshot(self, users: Collection[str] | None = None) -> dict[str, object]:
        """Accounts, positions, open orders, ids, nonces: JSON-able.

        ``users``: of the accounts only these, without their fills.
        """
        return dump(self.floor, users)

    def restore(self, state: Mapping[str, object]) -> None:
        """Take over a snapshot; only on a fresh exchange. Raises ValueError on another shape."""
        load(self.floor, state)


def _block_class(queued: _Queued) -> int:
    return place_class(queued.action)
