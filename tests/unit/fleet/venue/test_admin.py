"""What an operator may do to the venue's markets: prices, sweeps, oracles that stand still."""

from decimal import Decimal
from pathlib import Path

import msgspec

from agents.market.types import Coin, Side
from fleet.venue.faults import Plan
from tests.unit.fleet.venue.recordings import book, write
from tests.unit.fleet.venue.rig import INSTANT, Rig

BTC, HYNA = Coin("BTC"), Coin("hyna:BTC")


def mid(rig: Rig, coin: Coin) -> float:
    return float(str(rig.venue.exchange.ctx(coin)["midPx"]))


def oracle(rig: Rig, coin: Coin) -> Decimal:
    return Decimal(str(rig.venue.exchange.ctx(coin)["oraclePx"]))


def pass_s(rig: Rig, seconds: float) -> None:
    for _ in range(round(seconds / 0.07)):
        rig.wait(70)


async def test_a_price_that_is_moved_is_another_in_every_market_of_it() -> None:
    rig = Rig()
    pass_s(rig, 2.0)
    before = {coin: mid(rig, coin) for coin in (BTC, HYNA)}
    assert rig.venue.world.move(BTC, -0.06)
    pass_s(rig, 4.0)
    for coin, px in before.items():
        assert -0.07 < mid(rig, coin) / px - 1.0 < -0.05, coin


async def test_a_sweep_is_sold_at_once_and_leaves_a_book() -> None:
    rig = Rig()
    pass_s(rig, 2.0)
    client = rig.client()
    client.subscribe(type="trades", coin="BTC")
    assert rig.venue.world.sweep(BTC, Side.ASK, 50_000_000.0)
    rig.wait(70)
    prints = [row for rows in client.of("trades")[1:] for row in rows]
    sold_usd = sum(float(row["px"]) * float(row["sz"]) for row in prints if row["side"] == "A")
    assert sold_usd > 49_000_000.0
    bid, ask = rig.venue.exchange.floor.markets[BTC].touch()
    assert bid is not None
    assert ask is not None


async def test_an_oracle_that_stands_still_lets_its_market_go_and_returns_to_it() -> None:
    rig = Rig()
    pass_s(rig, 2.0)
    rig.venue.misbehave(Plan(still_oracle=(HYNA,)))
    stood = oracle(rig, HYNA), oracle(rig, BTC)
    pass_s(rig, 5.0)
    assert (oracle(rig, HYNA) == stood[0], oracle(rig, BTC) == stood[1]) == (True, False)
    rig.venue.misbehave(Plan())
    pass_s(rig, 2.0)
    assert oracle(rig, HYNA) != stood[0]


async def test_in_a_recording_nobody_moves_a_price(tmp_path: Path) -> None:
    tape = write(tmp_path / "t.zst", [book(0, 100_000, 100_010), book(9, 100_000, 100_010)])
    rig = Rig(msgspec.structs.replace(INSTANT, recording=str(tape)))
    assert not rig.venue.world.move(BTC, 0.1)
    assert not rig.venue.world.sweep(BTC, Side.BID, 100.0)
    rig.venue.misbehave(Plan(still_oracle=("BTC",)))
