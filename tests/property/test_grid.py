"""The price grid under any price: legal, passive, and a fixed point of itself."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from agents.market.instrument import NOTIONAL_MIN, Instrument
from agents.market.types import Coin, Side

instruments = st.builds(
    Instrument,
    coin=st.just(Coin("X")),
    asset_id=st.just(0),
    sz_decimals=st.integers(0, 5),
    leverage_max=st.just(10),
)
prices = st.floats(1e-2, 1e7)


@given(prices, instruments, st.sampled_from(Side))
@example(99999.96, Instrument(Coin("BTC"), 0, 0, 40), Side.ASK)
@example(9999.999999999998, Instrument(Coin("BTC"), 0, 5, 40), Side.ASK)
def test_passive_px_is_legal_passive_and_stable(px: float, grid: Instrument, side: Side) -> None:
    quoted = grid.passive_px(px, side)
    assert quoted == 0 or grid.accepts_px(quoted)
    assert side.sign * (Decimal(repr(px)) - quoted) >= 0
    if quoted > 0:
        assert grid.passive_px(quoted, side) == quoted


@given(prices, instruments)
def test_viable_sz_is_legal_and_the_least(px: float, grid: Instrument) -> None:
    at = grid.passive_px(px, Side.ASK)
    sz = grid.viable_sz(at)
    assert grid.accepts_sz(sz)
    assert sz * at >= NOTIONAL_MIN
    assert (sz - Decimal(1).scaleb(-grid.sz_decimals)) * at < NOTIONAL_MIN
