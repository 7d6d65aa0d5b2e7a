"""Synthetic flow: repeatable, never crossed or empty, and alive enough to trade with."""

import random
from decimal import Decimal

import msgspec
import pytest

from agents.market.types import Coin, Side
from agents.sim.book import OrderBook
from agents.sim.flow import Flow
from agents.sim.flow_maker import MAKER
from agents.sim.flow_profile import Mode
from agents.sim.market import Execution, Market, Placement, RestingOrder
from agents.sim.universe import Universe, default_universe

BLOCK_MS = 70
OURS = "0x" + "1" * 40


class Floor:
    """The least of an exchange: one book a coin, and a record of what traded."""

    def __init__(self, universe: Universe) -> None:
        self.books = {coin: OrderBook(coin) for coin in universe.coins()}
        self.oracles: dict[Coin, Decimal] = {}
        self.executions: list[tuple[Coin, Execution]] = []
        self.grid = universe
        self._oid = 0

    def next_oid(self) -> int:
        self._oid += 1
        return self._oid

    def market(self, coin: Coin) -> Market:
        return self.books[coin]

    def set_oracle(self, coin: Coin, px: Decimal) -> None:
        self.oracles[coin] = px

    def cancel_flow(self, coin: Coin, oid: int) -> bool:
        return self.books[coin].cancel(oid) is not None

    def place_flow(self, coin: Coin, order: RestingOrder) -> Placement:
        instrument = self.grid.instrument(coin)
        assert instrument.accepts_px(order.px), (coin, order.px)
        assert instrument.accepts_sz(order.sz), (coin, order.sz)
        placement = self.books[coin].place(order, 0)
        self.executions += [(coin, execution) for execution in placement.executions]
        return placement

    def quote(self, coin: Coin, side: Side, px: Decimal, sz: Decimal) -> RestingOrder | None:
        order = RestingOrder(
            oid=self.next_oid(),
            owner=OURS,
            side=side,
            px=px,
            sz=sz,
            orig_sz=sz,
            placed_ms=0,
            tif="Alo",
        )
        return order if self.books[coin].place(order, 0).resting else None


def of(*coins: str) -> Universe:
    """The default universe with these coins alone."""
    dexes = default_universe().dexes
    return Universe(
        msgspec.structs.replace(d, assets=tuple(a for a in d.assets if a.name in coins))
        for d in dexes
    )


def started(seed: int, mode: Mode, *coins: str) -> tuple[Flow, Floor]:
    universe = of(*coins)
    floor = Floor(universe)
    return Flow(universe, random.Random(seed), mode), floor


@pytest.mark.parametrize("mode", ["real", "lively"])
def test_equal_seeds_make_equal_markets_and_others_do_not(mode: Mode) -> None:
    runs = []
    for seed in (3, 3, 4):
        flow, floor = started(seed, mode, "BTC", "hyna:BTC")
        for block in range(300):
            flow.step(floor, BLOCK_MS * block)
        runs.append([(c, e.side, e.px, e.sz) for c, e in floor.executions])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("mode", ["real", "lively"])
def test_books_are_never_empty_or_crossed(mode: Mode) -> None:
    coins = ("BTC", "WLFI", "kPEPE", "xyz:NVDA", "hyna:BTC")
    flow, floor = started(11, mode, *coins)
    for block in range(1500):
        flow.step(floor, BLOCK_MS * block)
        for book in floor.books.values():
            bid, ask = book.touch()
            assert bid is not None
            assert ask is not None
            assert bid.px < ask.px


def test_a_wall_of_a_user_does_not_cross_the_book() -> None:
    flow, floor = started(5, "real", "ETH")
    coin = Coin("ETH")
    flow.step(floor, 0)
    ask = floor.books[coin].touch()[1]
    assert ask is not None
    wall = floor.quote(coin, Side.ASK, ask.px, Decimal(1_000_000))
    assert wall is not None
    for block in range(1, 1500):
        flow.step(floor, BLOCK_MS * block)
        bid, best = floor.books[coin].touch()
        assert bid is not None
        assert best is not None
        assert bid.px < best.px <= ask.px


def test_quotes_two_bps_from_the_mid_fill_in_every_lively_market() -> None:
    coins = ("BTC", "ETH", "SOL", "hyna:BTC", "xyz:NVDA")
    flow, floor = started(7, "lively", *coins)
    resting: list[tuple[Coin, int]] = []
    minutes = 2
    for block in range(minutes * 60_000 // BLOCK_MS):
        flow.step(floor, BLOCK_MS * block)
        if block % 10:
            continue
        for coin, oid in resting:
            floor.books[coin].cancel(oid)
        resting = [(coin, order.oid) for coin in floor.books for order in ladder(floor, coin)]
    ours = [c for c, e in floor.executions if e.maker is not None and e.maker.owner == OURS]
    for name in coins:
        assert 3 * minutes <= ours.count(Coin(name)) <= 150 * minutes, name


def ladder(floor: Floor, coin: Coin) -> list[RestingOrder]:
    """Five levels a side from 2 bps on, about 300 USD each."""
    bid, ask = floor.books[coin].touch()
    assert bid is not None
    assert ask is not None
    mid_px = float(bid.px + ask.px) / 2
    instrument = floor.grid.instrument(coin)
    orders = []
    for side in Side:
        for level in range(5):
            px = instrument.passive_px(mid_px * (1 - side.sign * (2 + level) / 1e4), side)
            order = floor.quote(coin, side, px, instrument.floor_sz(300 / mid_px))
            orders += [order] if order is not None else []
    return orders


def test_lively_trades_several_times_more_than_real() -> None:
    rows = {}
    for mode in ("real", "lively"):
        flow, floor = started(2, mode, "BTC", "SOL", "xyz:NVDA")
        for block in range(1500):
            flow.step(floor, BLOCK_MS * block)
        rows[mode] = len(floor.executions)
    assert rows["lively"] > 2 * rows["real"] > 0


def test_a_market_follows_the_one_of_the_same_underlying() -> None:
    flow, floor = started(9, "real", "BTC", "hyna:BTC")
    widest_bps = 0.0
    for block in range(2000):
        flow.step(floor, BLOCK_MS * block)
        px = flow.prices.px
        apart_bps = abs(px[Coin("hyna:BTC")] / px[Coin("BTC")] - 1) * 1e4
        widest_bps = max(widest_bps, apart_bps)
    assert 0.1 < widest_bps < 15


def test_restored_prices_open_the_market_where_it_was_left() -> None:
    flow, floor = started(1, "real", "BTC", "hyna:BTC")
    flow.restore({Coin("BTC"): 90_000.0, Coin("hyna:BTC"): 90_010.0})
    flow.step(floor, 0)
    for book in floor.books.values():
        bid, ask = book.touch()
        assert bid is not None
        assert ask is not None
        assert float(bid.px) == pytest.approx(90_000, rel=1e-3)
    assert floor.oracles[Coin("BTC")] == Decimal("90000.0")


def test_makers_look_at_few_quotes_a_block() -> None:
    flow, floor = started(1, "real", "BTC", "ETH", "SOL", "xyz:NVDA", "hyna:BTC")
    flow.step(floor, 0)
    opened = floor.next_oid()
    blocks = 500
    for block in range(1, blocks + 1):
        flow.step(floor, BLOCK_MS * block)
    placed = floor.next_oid() - opened
    assert placed / blocks / len(floor.books) < 6
    assert all(
        order.owner == MAKER for book in floor.books.values() for order in book._orders.values()
    )
