"""The mark: a median that one wild price does not move, a step that a deployer cannot exceed."""

from decimal import Decimal

from agents.market.types import Coin, Side
from tests.unit.agents.sim.desk import Desk


def test_the_mark_is_the_median_of_oracle_book_and_memory() -> None:
    desk, coin = Desk(), Coin("BTC")
    desk.flow("BTC", Side.BID, "84000", "1")
    desk.flow("BTC", Side.ASK, "84010", "1")
    desk.exchange.set_oracle(coin, Decimal(84_005))
    assert desk.exchange.ctx(coin)["markPx"] == "84000.0"  # the last trade counts too
    desk.block()
    desk.now_ms += 1_000
    desk.exchange.begin(desk.now_ms)
    desk.exchange.set_oracle(coin, Decimal(90_000))
    mark_px = Decimal(str(desk.exchange.ctx(coin)["markPx"]))
    assert mark_px == 84_000
    desk.now_ms += 11_000
    desk.block()
    assert desk.exchange.ctx(coin)["markPx"] == "84005.0"  # stale: the mid


def test_a_deployers_mark_moves_a_hundredth_at_most() -> None:
    desk, coin = Desk(), Coin("xyz:NVDA")
    desk.exchange.set_oracle(coin, Decimal(182))
    desk.exchange.set_oracle(coin, Decimal(250), [Decimal(250), Decimal(250)])
    assert desk.exchange.ctx(coin)["markPx"] == "183.82"
    desk.exchange.set_oracle(coin, Decimal(10_000))
    assert desk.exchange.ctx(coin)["oraclePx"] == "1820.0"
