"""The trading floor: the state every action shares, and the outputs of the block under way."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from agents.market.types import Coin
from agents.sim import rows
from agents.sim.accounts import Account, Agent, OrderRecord
from agents.sim.book import OrderBook
from agents.sim.clearing import ZERO
from agents.sim.market import Execution, Market, RestingOrder, Touch
from agents.sim.nonces import NonceWindow
from agents.sim.outputs import (
    AccountChanged,
    Answered,
    FillRow,
    FundingRow,
    LedgerRow,
    LiquidationRow,
    NonUserCancel,
    OrderRow,
    Output,
    Printed,
    TouchChanged,
    TradePrint,
)
from agents.sim.rules import DEFAULT, Rules
from agents.sim.universe import Listing, Universe

TRADES_KEPT: Final = 20
HOURS_KEPT: Final = 1_000
STALE_MS: Final = 10_000
FIRST_OID: Final = 1_000_000


class Tally:
    """What the contexts say of one coin: volumes of the day, open positions, the last trade."""

    def __init__(self, px: Decimal) -> None:
        self.last_px = px
        self.oracle_px: Decimal | None = None
        self.oracle_ms: int | None = None
        self.mark_px: Decimal | None = None
        self.prior_mark_px: Decimal | None = None
        self.basis = ZERO
        self.local_ema = ZERO
        self.previous_px = px
        self.day = 0
        self.day_usd = ZERO
        self.day_sz = ZERO
        self.long_sz = ZERO
        self.short_sz = ZERO
        self.cap_usd: Decimal | None = None
        self.growth_ms = 0
        self.growth_from_sz = ZERO
        self.premium_sum = ZERO
        self.premium_count = 0
        self.funding: deque[dict[str, object]] = deque(maxlen=HOURS_KEPT)
        self.trades: deque[TradePrint] = deque(maxlen=TRADES_KEPT)


class Floor:
    """Markets, accounts, ids, marks and pending outputs. Nothing here decides."""

    def __init__(
        self,
        universe: Universe,
        markets: Mapping[Coin, Market],
        *,
        maker_rate: Decimal,
        taker_rate: Decimal,
        rules: Rules = DEFAULT,
    ) -> None:
        self.universe: Final = universe
        self.rules: Final = rules
        self.maker_rate: Final = maker_rate
        self.taker_rate: Final = taker_rate
        self.markets: Final[dict[Coin, Market]] = {
            coin: markets.get(coin) or OrderBook(coin, self.matchable_sz)
            for coin in universe.coins()
        }
        self.taped: Final = frozenset(markets)
        self.accounts: Final[dict[str, Account]] = {}
        self.agents: Final[dict[str, Agent]] = {}
        self.nonces: Final[dict[str, NonceWindow]] = {}
        self.triggers: Final[dict[Coin, dict[int, str]]] = {}
        self.firing: int | None = None
        self.halted: Final[set[Coin]] = set()
        self.post_only = False
        self.delisted: Final = {
            coin for coin, listing in universe.listings.items() if listing.spec.delisted
        }
        self.margin_failed: Final[list[tuple[str, int]]] = []
        self.unjudged: Final[set[str]] = set()  # whose money changed since liquidation looked
        self.judged_px: Final[dict[Coin, Decimal]] = {}  # the marks it looked at
        self.contexts: Final[dict[Coin, rows.Row]] = {}  # as made since the book last changed
        self.tallies: Final = {
            coin: Tally(listing.spec.start_px) for coin, listing in universe.listings.items()
        }
        self.collected_usd: Final = {dex.name: ZERO for dex in universe.dexes}
        self.outside_usd: Final = {dex.name: ZERO for dex in universe.dexes}
        self.outside_sz: Final[dict[Coin, Decimal]] = {}
        self.deposited_usd: Final = {dex.name: ZERO for dex in universe.dexes}
        self.withdrawn_usd = ZERO
        self.daily_usd: Final[dict[int, Decimal]] = {}
        self.now_ms = 0
        self.sampled_ms = 0
        self.worth_ms = 0
        self.block_count = 0
        self.last_oid = FIRST_OID
        self._sequence = 0
        self._marks: dict[Coin, Decimal] = {}
        self._answers: list[Answered] = []
        self._prints: dict[Coin, list[TradePrint]] = {}
        self._touches: dict[Coin, tuple[Touch | None, Touch | None]] = {}
        self._order_rows: list[OrderRow] = []
        self._fill_rows: list[FillRow] = []
        self._account_rows: list[FundingRow | LedgerRow | LiquidationRow] = []
        self._cancels: list[NonUserCancel] = []
        self._changed: dict[tuple[str, str], tuple[bool, bool]] = {}

    def open_block(self, now_ms: int) -> None:
        """Set the block's time; marks are taken anew."""
        self.now_ms = now_ms
        self._marks.clear()
        self.contexts.clear()

    def next_oid(self) -> int:
        self.last_oid += 1
        return self.last_oid

    def next_hash(self) -> str:
        """The transaction hash of the action about to run."""
        self._sequence += 1
        return rows.transaction_hash(self.block_count, self._sequence)

    def listing(self, coin: Coin) -> Listing:
        return self.universe.listings[coin]

    def account(self, address: str) -> Account:
        """The account of an address, made if it is new."""
        account = self.accounts.get(address)
        if account is None:
            account = self.accounts[address] = Account(address)
        return account

    def mark_px(self, coin: Coin) -> Decimal:
        """As formed at the last oracle update; without a recent one mid, else the last trade."""
        mark = self._marks.get(coin)
        if mark is None:
            tally = self.tallies[coin]
            fresh = tally.oracle_ms is not None and self.now_ms - tally.oracle_ms <= STALE_MS
            if fresh and tally.mark_px is not None:
                mark = self._marks[coin] = tally.mark_px
                return mark
            mid = self.mid_px(coin)
            if mid is not None and coin in self.taped:
                tally.last_px = mid  # a tape's prints don't come by here; an outage falls back
            px = tally.last_px if mid is None else mid
            step = Decimal(1).scaleb(-self.listing(coin).px_decimals)
            mark = self._marks[coin] = px.quantize(step)
        return mark

    def mid_px(self, coin: Coin) -> Decimal | None:
        """(bid + ask) / 2; None where a side is empty or the asset is delisted."""
        market = self.markets.get(coin)
        bid, ask = market.touch() if market is not None else (None, None)
        return (bid.px + ask.px) / 2 if bid is not None and ask is not None else None

    def oracle_px(self, coin: Coin) -> Decimal:
        """As set, else the mark."""
        oracle = self.tallies[coin].oracle_px
        return self.mark_px(coin) if oracle is None else oracle

    def at_cap(self, coin: Coin) -> bool:
        """Whether positions of an asset have reached their cap."""
        tally, cap_usd = self.tallies[coin], self.cap_usd(coin)
        if cap_usd is None:
            return False
        return max(tally.long_sz, tally.short_sz) * self.mark_px(coin) >= cap_usd

    def cap_usd(self, coin: Coin) -> Decimal | None:
        """As set since, else as listed; builder-deployed assets alone are listed with one."""
        listing, cap_usd = self.listing(coin), self.tallies[coin].cap_usd
        if cap_usd is None and listing.hip3:
            return listing.spec.oi_cap_usd
        return cap_usd

    def matchable_sz(self, maker: RestingOrder, executions: Sequence[Execution]) -> Decimal:
        """How much of a resting order may still match within one arrival.

        A reduce-only order at most its position; any other all or, short of margin, nothing.
        """
        if maker.reduce_only:
            return self.closable_sz(maker, executions)
        account = self.accounts.get(maker.owner)
        if account is None:
            return maker.sz
        record = account.open.get(maker.oid)
        if record is None:
            return ZERO
        listing = self.listing(record.coin)
        clearing = account.clearing(listing.dex)
        if clearing.szi(record.coin) * maker.side.sign < 0:
            return maker.sz
        bound_usd = clearing.bound_usd(self.mark_px, self.listing)
        if bound_usd <= clearing.cross_equity_usd(self.mark_px):
            return maker.sz
        self.margin_failed.append((maker.owner, maker.oid))
        return ZERO

    def closable_sz(self, maker: RestingOrder, executions: Sequence[Execution]) -> Decimal:
        """How much a resting reduce-only order may still match within one arrival."""
        account = self.accounts.get(maker.owner)
        record = account.open.get(maker.oid) if account is not None else None
        if account is None or record is None:
            return ZERO
        szi = account.clearing(self.listing(record.coin).dex).szi(record.coin)
        for execution in executions:
            if execution.maker is not None and execution.maker.owner == maker.owner:
                szi += execution.side.opposite.sign * execution.sz
        return max(ZERO, -maker.side.sign * szi)

    def arm(self, coin: Coin, oid: int, owner: str) -> None:
        """Keep a trigger order beside the book."""
        self.triggers.setdefault(coin, {})[oid] = owner

    def disarm(self, coin: Coin, oid: int) -> bool:
        """Take a trigger order out; False if it is none, or has fired."""
        armed = self.triggers.get(coin)
        return armed is not None and armed.pop(oid, None) is not None

    # -- outputs ---------------------------------------------------------------------------

    def disturb(self, coin: Coin) -> Market:
        """The market of a coin about to be acted on; its touch is kept to see if it changes."""
        market = self.markets[coin]
        if coin not in self._touches:
            self._touches[coin] = market.touch()
        self.forget_mark(coin)
        return market

    def forget_mark(self, coin: Coin) -> None:
        """Its book or its oracle has changed: form the mark anew when it is asked for."""
        self._marks.pop(coin, None)
        self.contexts.pop(coin, None)

    def answer(self, ticket: int, payload: dict[str, object]) -> None:
        self._answers.append(Answered(ticket, payload))

    def print_trade(self, trade: TradePrint) -> None:
        self._prints.setdefault(trade.coin, []).append(trade)
        self.tallies[trade.coin].trades.append(trade)

    def tell_order(self, account: Account, record: OrderRecord, status: str, sz: Decimal) -> None:
        """Advance a record and emit its ``orderUpdates`` row."""
        event = account.advance(record, status, self.now_ms, sz)
        self._order_rows.append(OrderRow(account.address, rows.order_update(record), event))

    def tell_fill(self, account: Account, row: rows.Row) -> None:
        account.fills.append(row)
        self._fill_rows.append(FillRow(account.address, row))

    def tell_funding(self, account: Account, row: rows.Row, kept: rows.Row) -> None:
        account.fundings.append(kept)
        self._account_rows.append(FundingRow(account.address, row, kept))

    def tell_ledger(self, account: Account, row: rows.Row) -> None:
        account.ledger.append(row)
        self._account_rows.append(LedgerRow(account.address, row))

    def tell_liquidation(self, account: Account, row: rows.Row) -> None:
        self._account_rows.append(LiquidationRow(account.address, row))

    def tell_account(self, account: Account) -> None:
        """Something of the account changed that is no DEX's: agents, spot, mode."""
        self.tell_change(account, "", orders=False, money=True)

    def tell_venue_cancel(self, account: Account, record: OrderRecord) -> None:
        self._cancels.append(NonUserCancel(account.address, record.coin, record.order.oid))

    def tell_change(self, account: Account, dex: str, *, orders: bool, money: bool) -> None:
        if money:
            self.unjudged.add(account.address)
        before = self._changed.get((account.address, dex), (False, False))
        self._changed[account.address, dex] = (before[0] or orders, before[1] or money)

    def drain(self) -> tuple[Output, ...]:
        """Everything since the last block, in the venue's order; the block is over then."""
        self.block_count += 1
        self._sequence = 0
        if not (self._answers or self._touches or self._changed or self._fill_rows):
            return ()
        outputs = tuple(self._pending())
        for pending in (
            self._answers,
            self._order_rows,
            self._fill_rows,
            self._cancels,
            self._account_rows,
        ):
            pending.clear()
        for table in (self._prints, self._touches, self._changed):
            table.clear()
        return outputs

    def _pending(self) -> Iterator[Output]:
        yield from self._answers
        for coin, trades in self._prints.items():
            yield Printed(coin, tuple(trades))
        for coin, before in self._touches.items():
            if coin not in self.taped and self.markets[coin].touch() != before:
                yield TouchChanged(coin)
        yield from self._order_rows
        yield from self._fill_rows
        yield from self._cancels
        yield from self._account_rows
        for (user, dex), (orders, money) in self._changed.items():
            yield AccountChanged(user, dex, orders=orders, money=money)
