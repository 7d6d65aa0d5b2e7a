"""Where a position's stop belongs: on the losing side, never where it would fire at once."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agents.market.types import Side
from fleet.gateway.core.protect import wanted
from tests.simulation.gateway_world import World

BTC = World(1, ("BTC",)).state.instrument("BTC")
ENTRY = Decimal(60_000)


def test_it_is_counted_from_the_entry_and_rounded_away_from_it() -> None:
    assert BTC is not None
    stop = wanted(BTC, Decimal("0.01"), ENTRY, 60_100.0, 300.0)
    assert (stop.side, stop.trigger_px, stop.late) == (Side.ASK, Decimal(58_200), False)
    assert stop.px == Decimal(52_380)
    short = wanted(BTC, Decimal("-0.01"), ENTRY, 60_100.0, 300.0)
    assert (short.side, short.trigger_px) == (Side.BID, Decimal(61_800))


def test_past_it_or_without_an_entry_it_is_counted_from_the_mark() -> None:
    assert BTC is not None
    past = wanted(BTC, Decimal("0.01"), ENTRY, 58_000.0, 300.0)
    assert (past.trigger_px, past.late) == (Decimal(56_260), True)
    unknown = wanted(BTC, Decimal("0.01"), None, 60_000.0, 300.0)
    assert (unknown.trigger_px, unknown.late) == (Decimal(58_200), True)


@given(st.booleans(), st.floats(1e3, 1e5), st.floats(0.5, 2.0), st.floats(10.0, 5_000.0))
def test_it_never_fires_at_once_and_is_on_the_grid(
    long: bool, entry: float, drift: float, stop_bps: float
) -> None:
    assert BTC is not None
    mark_px = entry * drift
    position_sz = Decimal("0.01") if long else Decimal("-0.01")
    stop = wanted(BTC, position_sz, Decimal(repr(entry)), mark_px, stop_bps)
    assert stop.side is (Side.ASK if long else Side.BID)
    assert (float(stop.trigger_px) - mark_px) * stop.side.sign > 0
    assert BTC.accepts_px(stop.trigger_px)
    assert BTC.accepts_px(stop.px)
