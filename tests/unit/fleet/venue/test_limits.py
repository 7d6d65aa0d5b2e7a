"""Limits of an address: weights by section 8.1, refused beyond 1200 a minute, and back again."""

import pytest

from fleet.venue.limits import IpWeights, action_weight, info_weight, rows_weight
from fleet.venue.refusals import TurnedAway

NOW_NS = 1_800_000_000_000_000_000
S_NS = 1_000_000_000
HERE, THERE = "127.0.0.1", "127.0.0.2"


@pytest.mark.parametrize(
    ("action", "weight"),
    [
        ({"type": "noop"}, 1),
        ({"type": "order", "orders": [{}] * 39}, 1),
        ({"type": "order", "orders": [{}] * 40}, 2),
        ({"type": "cancelByCloid", "cancels": [{}] * 100}, 3),
        ({"type": "batchModify", "modifies": [{}] * 80}, 3),
        ({"type": "order", "orders": 7}, 1),
        (None, 1),
    ],
)
def test_actions_weigh_by_their_batch(action: object, weight: int) -> None:
    assert action_weight({"action": action}) == weight


def test_info_weighs_by_type_and_rows() -> None:
    kinds = ("l2Book", "userRole", "meta", "openOrders")
    assert [info_weight({"type": kind}) for kind in kinds] == [2, 60, 20, 20]
    assert info_weight({"type": ["meta"]}) == 20
    assert rows_weight({"type": "userFills"}, [0] * 45) == 2
    assert rows_weight({"type": "candleSnapshot"}, [0] * 119) == 1
    assert rows_weight({"type": "openOrders"}, [0] * 500) == 0
    assert rows_weight({"type": "userFills"}, None) == 0


def test_a_minute_holds_1200_and_then_moves_on() -> None:
    weights = IpWeights()
    for second in range(60):
        weights.charge(HERE, 20, NOW_NS + second * S_NS)
    with pytest.raises(TurnedAway) as away:
        weights.charge(HERE, 1, NOW_NS + 59 * S_NS)
    assert (away.value.code, away.value.reason) == (429, "429 Too Many Requests")
    weights.charge(THERE, 1_200, NOW_NS + 59 * S_NS)
    weights.charge(HERE, 20, NOW_NS + 60 * S_NS)
    assert weights.used(HERE, NOW_NS + 60 * S_NS) == 1_200
    assert weights.used(HERE, NOW_NS + 200 * S_NS) == 0
