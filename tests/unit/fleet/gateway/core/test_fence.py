"""After the latch nothing passes but what takes risk away; a fence opens with its last cause."""

import pytest

from fleet.gateway.api import LatchView
from fleet.gateway.core.fence import Fence, Kind

LATCH = LatchView(reason="storm", by="test", at_ms=1)


@pytest.mark.parametrize("kind", ["cancel", "noop", "reduce_only"])
def test_the_latch_lets_through_what_takes_risk_away(kind: Kind) -> None:
    fence = Fence(LATCH)
    assert fence.refuses("BTC", kind) is None
    assert fence.refuses("BTC", "placement") == "halt: storm"


def test_the_first_reason_of_a_latch_stands() -> None:
    fence = Fence()
    fence.set_latch(LATCH)
    fence.set_latch(LatchView(reason="later", by="test", at_ms=2))
    assert fence.latch == LATCH
    fence.lift_latch()
    assert fence.refuses("BTC", "placement") is None


def test_a_fence_opens_with_its_last_cause_and_shuts_one_market() -> None:
    fence = Fence()
    assert fence.close("BTC", "agent", "loss")
    assert not fence.close("BTC", "agent", "loss")
    assert fence.close("BTC", "second_controller", "two hands")
    assert fence.reason("BTC") == "loss; two hands"
    assert fence.open("BTC", "agent")
    assert not fence.open("BTC", "agent")
    assert fence.refuses("BTC", "placement") == "two hands"
    assert fence.refuses("ETH", "placement") is None
    assert fence.open("BTC", "second_controller")
    assert not fence.closed("BTC")
