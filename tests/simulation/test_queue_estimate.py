"""The estimated place beside the true one, in a queue where strangers join, cancel and fill."""

import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from agents.events import Book
from agents.market.types import Cloid, Coin, Level, Side, Trade
from agents.orders.lifecycle import State
from agents.orders.queue import Queues
from agents.orders.tracked import TrackedOrder

Patch = pytest.MonkeyPatch
OURS = Cloid("0x" + "b" * 32)
PX = 99.0
STEPS = 100


def error_share(seed: int) -> float:
    """The mean error of ``ahead``, as a share of what stood before us at first."""
    rng = random.Random(seed)
    queues, first = Queues(), rng.randint(20, 30)
    line: list[str] = ["before"] * first
    order = TrackedOrder(
        cloid=OURS, side=Side.BID, px=Decimal(99), sz=Decimal(1), near_px=PX, sent_ns=0,
        state=State.OPEN, acked_ns=1,
    )  # fmt: skip

    def shown() -> Book:
        return Book(Coin("BTC"), 0, ((Level(PX, float(len(line))), Level(98.0, 5.0)), ()))

    queues.on_book(shown(), ())
    queues.join(OURS, Side.BID, PX)
    line.append("ours")
    errors: list[float] = []
    for step in range(1, STEPS):
        chance = rng.random()
        others = [at for at, who in enumerate(line) if who != "ours"]
        if chance < 0.50:
            line.append("behind")
        elif chance < 0.85 and others:
            line.pop(rng.choice(others))
        elif line[0] != "ours":
            line.pop(0)
            queues.on_trades([Trade(Coin("BTC"), Side.ASK, PX, 1.0, step)], [order])
        queues.on_book(shown(), [order])
        ahead_sz = queues.ahead_sz(OURS)
        assert ahead_sz is not None
        assert 0.0 <= ahead_sz <= len(line) - 1
        errors.append(abs(ahead_sz - line.index("ours")) / first)
    return sum(errors) / len(errors)


def mean_error() -> float:
    return sum(error_share(seed) for seed in range(60)) / 60


def cancels_only_behind(patch: Patch) -> None:
    told = Queues.on_book

    def on_book(self: Queues, book: Book, live: Iterable[TrackedOrder]) -> None:
        before_sz = self.ahead_sz(OURS)
        told(self, book, live)
        place: Any = self._places.get(OURS)
        if place is not None and before_sz is not None:
            shown_sz = self.shown_sz(Side.BID, PX) or 1.0
            place.ahead_sz = min(before_sz, shown_sz - 1.0)

    patch.setattr(Queues, "on_book", on_book)


def cancels_only_before(patch: Patch) -> None:
    told = Queues.on_book

    def on_book(self: Queues, book: Book, live: Iterable[TrackedOrder]) -> None:
        place: Any = self._places.get(OURS)
        held_sz = 0.0 if place is None else place.ahead_sz + place.behind_sz
        ahead_sz = self.ahead_sz(OURS) or 0.0
        told(self, book, live)
        place = self._places.get(OURS)
        if place is not None:
            lost_sz = max(held_sz - place.ahead_sz - place.behind_sz, 0.0)
            place.ahead_sz = max(ahead_sz - lost_sz, 0.0)

    patch.setattr(Queues, "on_book", on_book)


def prints_eat_nothing(patch: Patch) -> None:
    patch.setattr(Queues, "on_trades", lambda *_: None)


def test_the_estimate_is_near_the_truth() -> None:
    assert mean_error() < 0.12


MUTANTS = (cancels_only_behind, cancels_only_before, prints_eat_nothing)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_rule_brings_it_nearer(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    known = mean_error()
    mutant(monkeypatch)
    assert mean_error() > 1.1 * known
