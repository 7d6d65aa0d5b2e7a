"""The exchange's core: orders into a book alone, through accounts and margin, and from flow."""

import random
from decimal import Decimal

from agents.market.types import Coin, Side
from agents.sim.book import OrderBook
from agents.sim.exchange import Exchange
from agents.sim.flow import Flow
from agents.sim.market import RestingOrder
from agents.sim.universe import default_universe
from tests.bench.figures import Figures, per_call_s

ORDERS = 2_000
USERS = [f"0x{i:040x}" for i in range(1, 5)]
NOW_MS = 1_795_000_000_000


def _into_a_book() -> None:
    rng, book = random.Random(1), OrderBook(Coin("X"))
    for oid in range(ORDERS):
        side = Side.BID if rng.random() < 0.5 else Side.ASK
        px, sz = Decimal(1_000 + rng.randint(-5, 5)), Decimal(rng.randint(1, 9))
        book.place(RestingOrder(oid, f"u{oid % 7}", side, px, sz, sz, 0), 0)


def _through_accounts() -> None:
    rng, exchange = random.Random(1), Exchange(default_universe())
    for user in USERS:
        exchange.fund(user, Decimal(10**9))
    for i in range(ORDERS):
        px = str(84_000 + rng.randint(-5, 5))
        wire = {"a": 0, "b": rng.random() < 0.5, "p": px, "s": "0.001", "r": False}
        wire |= {"t": {"limit": {"tif": "Gtc"}}}
        action = {"type": "order", "orders": [wire], "grouping": "na"}
        exchange.submit(i, USERS[i % len(USERS)], action, NOW_MS + i)
        if i % 50 == 0:
            exchange.block(NOW_MS + 2 * i)
    exchange.block(NOW_MS + 2 * ORDERS)


def _plain_python() -> None:
    """Twenty thousand dictionary writes: the yardstick of this machine."""
    table: dict[int, int] = {}
    for i in range(20_000):
        table[i % 997] = i


def test_orders_a_second(figures: Figures) -> None:
    """20 000 a second in the book and 5 000 with accounts, where the yardstick takes 1 ms."""
    yardstick = min(per_call_s(_plain_python, calls=1, rounds=1) for _ in range(50))
    for name, run, limit in (
        ("an order into the book alone", _into_a_book, 50e-6),
        ("an order through accounts and margin", _through_accounts, 200e-6),
    ):
        figures.add(
            name,
            value_s=min(per_call_s(run, calls=1, rounds=1) for _ in range(5)) / ORDERS,
            yardstick="20 000 dictionary writes",
            yardstick_s=yardstick,
            ratio_max=limit / 1e-3,
        )


BLOCK_MS = 70
BLOCKS = 100


class _Street:
    """The default universe under synthetic flow; ``run`` goes on by a hundred blocks."""

    def __init__(self) -> None:
        self.exchange = Exchange(default_universe())
        self.place_flow = self.exchange.place_flow
        self.cancel_flow = self.exchange.cancel_flow
        self.next_oid = self.exchange.next_oid
        self.set_oracle = self.exchange.set_oracle
        self.market = self.exchange.floor.markets.__getitem__
        self._flow = Flow(self.exchange.universe, random.Random(7), "real")
        self._now_ms = NOW_MS

    def run(self) -> None:
        for _ in range(BLOCKS):
            self._now_ms += BLOCK_MS
            self.exchange.begin(self._now_ms)
            self._flow.step(self, self._now_ms)
            self.exchange.block(self._now_ms)


def test_a_block_of_forty_markets(figures: Figures) -> None:
    """A quarter of one core, that is 17.5 ms of each 70, where the yardstick takes 1 ms."""
    street = _Street()
    assert len(street.exchange.universe.coins()) >= 40
    street.run()
    yardstick = min(per_call_s(_plain_python, calls=1, rounds=1) for _ in range(50))
    figures.add(
        "a block of synthetic flow in 41 markets",
        value_s=min(per_call_s(street.run, calls=1, rounds=1) for _ in range(5)) / BLOCKS,
        yardstick="20 000 dictionary writes",
        yardstick_s=yardstick,
        ratio_max=17.5,
    )
