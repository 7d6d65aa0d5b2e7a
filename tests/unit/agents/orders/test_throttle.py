"""Back-off: short after post-only, longer after the rest, doubling, ended by what rests."""

import pytest

from agents.market.types import Side
from agents.market.units import NS_PER_S, s_to_ns
from agents.orders.throttle import Throttle

POST_ONLY = "Post only order would have immediately matched, bbo was 1@2. asset=0"


@pytest.mark.parametrize(("text", "wait_s"), [(POST_ONLY, 0.1), ("Insufficient margin", 1.0)])
def test_the_first_wait(text: str, wait_s: float) -> None:
    throttle = Throttle()
    throttle.refused(Side.BID, text, 0)
    assert throttle.blocked(Side.BID, s_to_ns(wait_s) - 1)
    assert not throttle.blocked(Side.BID, s_to_ns(wait_s))
    assert not throttle.blocked(Side.ASK, 0)


def test_it_doubles_to_a_limit_and_a_resting_order_ends_it() -> None:
    throttle = Throttle()
    now_ns, waits = 0, []
    for _ in range(12):
        throttle.refused(Side.ASK, "nope", now_ns)
        began_ns = now_ns
        while throttle.blocked(Side.ASK, now_ns):
            now_ns += NS_PER_S // 2
        waits.append((now_ns - began_ns) / NS_PER_S)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 30
    throttle.rested(Side.ASK)
    throttle.refused(Side.ASK, "nope", now_ns)
    assert not throttle.blocked(Side.ASK, now_ns + NS_PER_S)


def test_a_whole_batch_refused_counts_once() -> None:
    throttle = Throttle()
    for _ in range(5):
        throttle.refused(Side.BID, POST_ONLY, 0)
    assert not throttle.blocked(Side.BID, s_to_ns(0.1))


def test_cancels_wait_on_their_own() -> None:
    throttle = Throttle()
    throttle.cancel_refused(0)
    assert throttle.cancel_blocked(s_to_ns(0.2))
    assert not throttle.cancel_blocked(s_to_ns(0.25))
    assert not throttle.blocked(Side.BID, 0)
