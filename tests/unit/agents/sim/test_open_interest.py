"""What open interest forbids: at a cap, of a whole DEX, by size, and when it grows too quickly."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.market.types import Coin, Side
from agents.sim.open_interest import GROWTH_SHARE, SIZE_MAX, WINDOW_MS
from agents.sim.universe import DexSpec, Universe, default_universe
from tests.unit.agents.sim.desk import ALICE, BOB, NVDA, Desk, order

NVDA_COIN = Coin("xyz:NVDA")


def traded(desk: Desk, sz: str, px: str = "182", asset: int = NVDA) -> None:
    """Alice buys from flow, so that her position is all the open interest there is."""
    coin = desk.exchange.universe.by_asset_id[asset].coin
    desk.flow(coin, Side.ASK, px, sz)
    assert "filled" in desk.place(ALICE, order(asset, "B", px, sz, tif="Ioc"))[0]


def refused(desk: Desk, row: dict[str, Any], who: str = BOB) -> tuple[str, list[str]]:
    """The text, and the statuses of the rows that came with it."""
    error = desk.place(who, row)[0]["error"]
    return error, [status for _, status, _ in desk.order_rows(who)]


def test_at_the_cap_orders_rest_behind_the_oracle_reduce_or_are_refused() -> None:
    desk = Desk()
    desk.exchange.set_oracle(NVDA_COIN, Decimal(182))
    traded(desk, "10")
    desk.exchange.set_oi_cap(NVDA_COIN, Decimal(1_000))
    text, rows = refused(desk, order(NVDA, "B", "183", "1"))
    assert text.startswith("Order rejected due to price more aggressive than oracle")
    assert rows == ["tooAggressiveAtOpenInterestCapRejected"]
    text, rows = refused(desk, order(NVDA, "B", "181", "1"))
    assert text.startswith("Order would increase open interest while open interest is capped")
    assert rows == ["positionIncreaseAtOpenInterestCapRejected"]
    assert refused(desk, order(NVDA, "A", "183", "25"), ALICE)[1] == [
        "positionFlipAtOpenInterestCapRejected"
    ]
    assert "resting" in desk.place(ALICE, order(NVDA, "A", "183", "10"))[0]
    assert desk.ask("perpsAtOpenInterestCap", dex="xyz") == [NVDA_COIN]


def test_growth_by_half_the_cap_within_ten_seconds_stops_more() -> None:
    desk = Desk()
    desk.exchange.set_oi_cap(NVDA_COIN, Decimal(10_000))
    traded(desk, "1")
    traded(desk, str(int(10_000 * GROWTH_SHARE / 182) + 1))
    text, rows = refused(desk, order(NVDA, "B", "181", "1"))
    assert text == f"Order would increase open interest too quickly asset={NVDA}"
    assert rows == ["openInterestIncreaseRejected"]
    assert "resting" in desk.place(ALICE, order(NVDA, "A", "183", "1"))[0]
    desk.now_ms += WINDOW_MS
    assert "resting" in desk.place(BOB, order(NVDA, "B", "181", "1"))[0]


@pytest.fixture
def narrow() -> Universe:
    """The builders' first DEX may hold a thousand dollars in all."""
    listed = default_universe()
    dexes: list[DexSpec] = list(listed.dexes)
    dexes[1] = msgspec.structs.replace(dexes[1], oi_cap_usd=Decimal(1_000))
    return Universe(dexes)


def test_a_full_dex_takes_nothing_more_on_any_of_its_markets(narrow: Universe) -> None:
    desk = Desk(narrow)
    traded(desk, "10")
    tsla = order(110_001, "B", "370", "1")
    assert refused(desk, tsla) == ("Perp DEX open interest is at cap.", [])
    assert "resting" in desk.place(BOB, order(0, "B", "80000", "0.01"))[0]
    assert "resting" in desk.place(ALICE, order(NVDA, "A", "183", "10"))[0]
    assert desk.ask("perpDexLimits", dex="xyz")["totalOiCap"] == "1000.0"


def test_a_billion_units_are_the_most_of_any_asset() -> None:
    desk = Desk()
    desk.exchange.floor.tallies[NVDA_COIN].long_sz = SIZE_MAX
    desk.exchange.set_oi_cap(NVDA_COIN, Decimal(10) ** 15)
    assert refused(desk, order(NVDA, "B", "181", "1")) == ("Asset open interest is at cap.", [])
