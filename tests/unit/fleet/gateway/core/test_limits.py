"""The position limit: both sides' worst case, reducing always free, raising only with authority."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agents.market.types import Side
from fleet.gateway.core.limits import Exposure, Limits, within

sizes = st.decimals(min_value=0, max_value=100, places=3)
signed = st.decimals(min_value=-100, max_value=100, places=3)


@given(signed, sizes, sizes, st.sampled_from(Side), sizes)
def test_what_passes_stays_within_the_limit_however_much_fills(
    position_sz: Decimal, bid_sz: Decimal, ask_sz: Decimal, side: Side, new_sz: Decimal
) -> None:
    exposure = Exposure(position_sz, bid_sz, ask_sz)
    open_sz = bid_sz if side is Side.BID else ask_sz
    worst_sz = position_sz + side.sign * (open_sz + new_sz)
    passes = within(exposure, side, new_sz, mark_usd=2.0, position_max_usd=60.0)
    assert passes == (float(side.sign * worst_sz) * 2.0 <= 60.0)
    if exposure.reduces(side, new_sz):
        assert passes


def test_what_reduces_passes_above_the_limit() -> None:
    above = Exposure(Decimal(50), Decimal(0), Decimal(0))
    assert within(above, Side.ASK, Decimal(50), mark_usd=1.0, position_max_usd=10.0)
    assert not within(above, Side.BID, Decimal(1), mark_usd=1.0, position_max_usd=10.0)
    assert not within(above, Side.ASK, Decimal(61), mark_usd=1.0, position_max_usd=10.0)


def test_lowering_is_free_and_raising_needs_authority() -> None:
    limits = Limits({"BTC": 100.0})
    assert limits.put("BTC", 50.0, authorised=False)
    assert not limits.put("BTC", 100.0, authorised=False)
    assert limits.position_max_usd["BTC"] == 50.0
    assert limits.put("BTC", 100.0, authorised=True)
    assert limits.put("ETH", 100.0, authorised=False)
