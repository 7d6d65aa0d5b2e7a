"""Back-off: short after post-only, longer after the rest, doubling, ended by what rests."""

import pytest

from agents.market.types import Side
from agents.market.units import NS_PER_S, s_to_ns
from agents.orders.throttle import EXIT_MAX_NS, MOVES_MAX, MOVES_PER_S, Churn, Throttle

POST_ONLY = "Post only order would have immediately matched, bbo was 1@2. asset=0"


@pytest.mark.parametrize(("text", "wait_s"), [(POST_ONLY, 0.1), ("Insufficient margin", 1.0)])
def test_the_first_wait(text: str, wait_s: float) -> None:
    throttle = Throttle()
    throttle.refused(Side.BID, text, 0, reduces=False)
    assert throttle.blocked(Side.BID, s_to_ns(wait_s) - 1, reduces=False)
    assert not throttle.blocked(Side.BID, s_to_ns(wait_s), reduces=False)
    assert not throttle.blocked(Side.ASK, 0, reduces=False)


def test_it_doubles_to_a_limit_and_a_resting_order_ends_it() -> None:
    throttle = Throttle()
    now_ns, waits = 0, []
    for _ in range(12):
        throttle.refused(Side.ASK, "nope", now_ns, reduces=False)
        began_ns = now_ns
        while throttle.blocked(Side.ASK, now_ns, reduces=False):
            now_ns += NS_PER_S // 2
        waits.append((now_ns - began_ns) / NS_PER_S)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 30
    throttle.rested(Side.ASK, reduces=False)
    throttle.refused(Side.ASK, "nope", now_ns, reduces=False)
    assert not throttle.blocked(Side.ASK, now_ns + NS_PER_S, reduces=False)


def test_a_whole_batch_refused_counts_once() -> None:
    throttle = Throttle()
    for _ in range(5):
        throttle.refused(Side.BID, POST_ONLY, 0, reduces=False)
    assert not throttle.blocked(Side.BID, s_to_ns(0.1), reduces=False)


def test_what_only_reduces_waits_on_its_own_and_never_for_long() -> None:
    throttle = Throttle()
    throttle.refused(Side.BID, "nope", 0, reduces=False)
    assert throttle.barred(Side.BID, 0)
    assert not throttle.blocked(Side.BID, 0, reduces=True)
    now_ns, longest_ns = 0, 0
    for _ in range(12):
        throttle.refused(Side.BID, "nope", now_ns, reduces=True)
        began_ns = now_ns
        while throttle.blocked(Side.BID, now_ns, reduces=True):
            now_ns += NS_PER_S // 2
        longest_ns = max(longest_ns, now_ns - began_ns)
    assert longest_ns == EXIT_MAX_NS


def test_an_exit_that_rests_does_not_let_what_adds_knock_sooner() -> None:
    throttle = Throttle()
    throttle.refused(Side.BID, "nope", 0, reduces=False)
    throttle.rested(Side.BID, reduces=True)
    throttle.refused(Side.BID, "nope", NS_PER_S, reduces=False)
    assert throttle.blocked(Side.BID, 2 * NS_PER_S, reduces=False)


def test_a_first_post_only_refusal_bars_nothing() -> None:
    throttle = Throttle()
    throttle.refused(Side.BID, POST_ONLY, 0, reduces=False)
    assert throttle.blocked(Side.BID, 0, reduces=False)
    assert not throttle.barred(Side.BID, 0)


def test_cancels_wait_on_their_own() -> None:
    throttle = Throttle()
    throttle.cancel_refused(0)
    assert throttle.cancel_blocked(s_to_ns(0.2))
    assert not throttle.cancel_blocked(s_to_ns(0.25))
    assert not throttle.blocked(Side.BID, 0, reduces=False)


def test_that_there_was_nothing_to_replace_blocks_nobody() -> None:
    throttle = Throttle()
    throttle.refused(Side.BID, "Cannot modify canceled or filled order", 0, reduces=False)
    assert not throttle.blocked(Side.BID, 1, reduces=False)


def test_a_side_may_move_often_for_a_moment_and_seldom_for_long() -> None:
    churn = Churn()
    start_ns = s_to_ns(1_000.0)
    assert sum(churn.moves(Side.BID, start_ns) for _ in range(20)) == MOVES_MAX
    assert churn.moves(Side.ASK, start_ns)  # the other side's own
    later = [churn.moves(Side.BID, start_ns + s_to_ns(0.1 * step)) for step in range(1, 101)]
    assert sum(later) == 10 * MOVES_PER_S
    assert not churn.moves(Side.BID, start_ns)  # a clock that steps back gives nothing
