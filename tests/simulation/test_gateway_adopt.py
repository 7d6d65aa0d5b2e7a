"""Adopting a market cancels what no fleet placed there, and nothing else; money that nothing
explains is booked as the owner's and explains itself from then on."""

from decimal import Decimal
from pathlib import Path

from fleet.gateway.api import DirectiveRow
from fleet.gateway.core import control
from fleet.gateway.core.agents import directive_frame
from fleet.gateway.records import Moved
from fleet.ledger.cash import cash
from tests.simulation.gateway_world import ADDRESS, World
from tests.unit.fleet.ledger.test_cash import frame
from tests.unit.fleet.ledger.test_query import DAY, book


def by_hand(world: World, asset: int, px: str) -> None:
    wire = {"a": asset, "b": True, "p": px, "s": "0.01", "r": False,
            "t": {"limit": {"tif": "Gtc"}}}  # fmt: skip
    action = {"type": "order", "orders": [wire], "grouping": "na"}
    world.exchange.submit(9_000_000 + asset, ADDRESS, action, world.now_ms)
    world.run(2_000)


def foreign(world: World, market: str) -> int:
    return sum(row.get("cloid") is None for row in world.resting(market))


def test_foreign_orders_of_one_market_go_and_others_stay() -> None:
    world = World(3)
    by_hand(world, 0, "50000")
    by_hand(world, 1, "1500")
    assert (foreign(world, "BTC"), foreign(world, "ETH")) == (1, 1)
    world.do(control.act(world.state, "BTC", "adopt", world.now_ms))
    world.run(3_000)
    assert (foreign(world, "BTC"), foreign(world, "ETH")) == (0, 1)
    world.do(control.act(world.state, "BTC", "adopt", world.now_ms))
    world.run(1_000)
    assert foreign(world, "ETH") == 1


def test_money_that_is_adopted_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, frame(0, "1000"), frame(2, "1250"))
    drift = cash(path)[""]
    assert drift.drift == 250
    book(path, Moved("adopted by ann", "", drift.token, drift.as_of_ms, "adopted-1", drift.drift))
    assert cash(path)[""].balanced
    book(path, frame(3, "1250"))
    assert cash(path)[""].drift == Decimal(0)
    assert drift.as_of_ms > DAY


def test_the_ledgers_word_is_on_top_of_risks_for_its_dex_alone() -> None:
    world = World(3)
    world.state.books = {"hyna": DirectiveRow("reduce_only", "the ledger: +3 USDE")}
    frames = {market: directive_frame(world.state, market) for market in ("BTC", "hyna:BTC")}
    modes = {market: frame.mode if frame else None for market, frame in frames.items()}
    assert modes == {"BTC": "normal", "hyna:BTC": "reduce_only"}
    assert world.state.directives is not None
    world.state.directives = world.state.directives.__class__(
        seq=1, as_of_ms=world.now_ms, state="halt", reason="loss", directives={}
    )
    harder = directive_frame(world.state, "hyna:BTC")
    assert harder is not None
    assert (harder.mode, harder.reason) == ("halt", "loss"), "the worse of the two"
