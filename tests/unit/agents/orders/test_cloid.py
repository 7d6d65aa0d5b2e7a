"""Our order ids: unique, decodable, and told apart from others'."""

import pytest

from agents.market.types import Cloid
from agents.orders.cloid import CloidFields, CloidSequence, decode

PREFIX = "f1ee" + "0a0b0c" + "0102" + "000007"


def test_each_is_new_and_says_where_it_comes_from() -> None:
    cloids = CloidSequence(PREFIX)
    first, second = cloids.next(), cloids.next()
    assert first != second
    assert len(first) == 34
    assert decode(second) == CloidFields(
        prefix=0xF1EE, instance=0x0A0B0C, market=0x0102, generation=7, sequence=2
    )


def test_own_ours_and_foreign() -> None:
    cloids = CloidSequence("0x" + PREFIX.upper().replace("X", "x"))
    own = cloids.next()
    earlier = Cloid(own.replace("000007", "000006", 1))
    other_market = Cloid(own.replace("0102", "0103", 1))
    other_fleet = Cloid(own.replace("0a0b0c", "0a0b0d", 1))
    assert cloids.is_own(own)
    assert cloids.is_ours(own)
    assert not cloids.is_own(earlier)
    assert cloids.is_ours(earlier)
    for foreign in (other_market, other_fleet, Cloid("0x" + "1" * 32), None):
        assert not cloids.is_own(foreign)
        assert not cloids.is_ours(foreign)


@pytest.mark.parametrize("cloid", ["", "0x12", "0x" + "z" * 32, "0x" + "1" * 33])
def test_what_is_no_cloid_decodes_to_none(cloid: str) -> None:
    assert decode(Cloid(cloid)) is None


@pytest.mark.parametrize("prefix", ["", "f1ee", "g" * 20])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(AssertionError):
        CloidSequence(prefix)
