"""Sides and their signs."""

from agents.market.types import Side


def test_sides_mirror() -> None:
    assert Side.BID.sign == 1
    assert Side.ASK.sign == -1
    assert Side.BID.opposite is Side.ASK
    assert Side.ASK.opposite is Side.BID
