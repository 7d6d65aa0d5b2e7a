"""Which requests are answered, what unknown things get, and what is 422."""

from typing import Any

import pytest

from agents.sim.outputs import UnknownRequest
from tests.unit.agents.sim.desk import ALICE, Desk

STRANGER = "0x" + "5e" * 20


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"type": "l2Book", "coin": "NOPE"}, None),
        ({"type": "openOrders", "user": STRANGER}, []),
        ({"type": "userFills", "user": STRANGER}, []),
        ({"type": "userRole", "user": STRANGER}, {"role": "missing"}),
        ({"type": "userRole", "user": ALICE.upper().replace("0X", "0x")}, {"role": "user"}),
        ({"type": "clearinghouseState", "user": ALICE, "dex": "nope"}, None),
        ({"type": "extraAgents", "user": ALICE}, []),
        ({"type": "subAccounts", "user": ALICE}, None),
        ({"type": "userAbstraction", "user": ALICE}, "disabled"),
        (
            {"type": "spotClearinghouseState", "user": ALICE},
            {"balances": [], "tokenToAvailableAfterMaintenance": []},
        ),
        ({"type": "maxBuilderFee", "user": ALICE, "builder": STRANGER}, 0),
        ({"type": "outcomeMeta"}, {"outcomes": [], "questions": []}),
        ({"type": "orderStatus", "user": ALICE, "oid": 5}, {"status": "unknownOid"}),
        ({"type": "perpsAtOpenInterestCap"}, []),
        ({"type": "fundingHistory", "coin": "BTC", "startTime": 0}, []),
        (
            {"type": "marginTable", "id": 40},
            {"description": "", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 40}]},
        ),
    ],
)
def test_answers(desk: Desk, request_: dict[str, Any], answer: object) -> None:
    assert desk.exchange.info(request_, 5) == answer


def test_status_tells_the_time_of_the_question(desk: Desk) -> None:
    answer = desk.exchange.info({"type": "exchangeStatus"}, 1_791_280_777_681)
    assert answer == {"time": 1_791_280_777_681, "specialStatuses": None}


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"type": "bogusInfoType"},
        {"type": 5},
        {"type": "clearinghouseState"},
        {"type": "clearinghouseState", "user": "0x12"},
        {"type": "clearinghouseState", "user": 7},
        {"type": "l2Book"},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 6},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 4, "mantissa": 2},
        {"type": "orderStatus", "user": ALICE},
        {"type": "userFillsByTime", "user": ALICE},
        {"type": "perpDexLimits", "dex": ""},
    ],
)
def test_what_does_not_fit_is_unknown(desk: Desk, request_: dict[str, Any]) -> None:
    with pytest.raises(UnknownRequest):
        desk.exchange.info(request_, 5)
