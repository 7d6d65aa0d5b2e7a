"""What an account was worth: sampled, thinned, and told by period."""

from decimal import Decimal
from typing import Any

import pytest

from agents.market.types import Side
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from agents.sim.worth import SAMPLE_MS, SAMPLES_MAX
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def desk() -> Desk:
    return Desk(usd=10_000)


def told(desk: Desk, who: str = ALICE) -> dict[str, Any]:
    return dict(desk.ask("portfolio", user=who))


def wait(desk: Desk, ms: int) -> None:
    desk.now_ms += ms
    desk.block()


def test_profit_counts_from_the_start_of_the_period_and_deposits_are_none(desk: Desk) -> None:
    assert list(told(desk)) == [
        "day", "week", "month", "allTime", "perpDay", "perpWeek", "perpMonth", "perpAllTime",
    ]  # fmt: skip
    desk.flow("BTC", Side.ASK, "84000", "0.1")
    desk.place(ALICE, order(BTC, "B", "84000", "0.1", tif="Ioc"))
    desk.flow("BTC", Side.BID, "84990", "1")
    desk.flow("BTC", Side.ASK, "85010", "1")
    wait(desk, SAMPLE_MS)
    whole = told(desk)["perpAllTime"]
    assert whole["pnlHistory"][0][1] == "0.0"
    assert whole["pnlHistory"][-1][1] == "96.22"  # a tenth of 1,000 less the fee of 3.78
    assert whole["accountValueHistory"][-1] == [desk.now_ms, "50096.22"]
    assert whole["vlm"] == "8400.0"
    wait(desk, 2 * DAY_MS)
    assert told(desk)["day"]["vlm"] == "0.0"
    assert told(desk)["week"]["vlm"] == "8400.0"
    assert float(told(desk)["day"]["pnlHistory"][-1][1]) == 0.0
    assert told(desk)["week"]["pnlHistory"][-1][1].startswith("96.")  # funding was paid


def test_what_is_moved_is_neither_profit_nor_loss(desk: Desk) -> None:
    usdc = "USDC:0x6d1e7cde53ba9467b783cb7c530ce054"
    for destination, target in ((ALICE, "spot"), (BOB, "")):
        action = {"type": "sendAsset", "signatureChainId": "0x66eee", "sourceDex": ""}
        action |= {"hyperliquidChain": "Testnet", "destination": destination, "token": usdc}
        action |= {"destinationDex": target, "amount": "500", "fromSubAccount": ""}
        assert desk.act(ALICE, action | {"nonce": desk.nonce + 1})["status"] == "ok"
    for who, usd, perp_usd in ((ALICE, "49500.0", "49000.0"), (BOB, "50500.0", "50500.0")):
        found = told(desk, who)
        assert found["allTime"]["accountValueHistory"][-1][1] == usd
        assert found["perpAllTime"]["accountValueHistory"][-1][1] == perp_usd
        for name in ("allTime", "perpAllTime"):
            assert found[name]["pnlHistory"][-1][1] == "0.0"


def test_samples_are_thinned_and_outlive_a_restart(desk: Desk) -> None:
    for _ in range(SAMPLES_MAX + 100):
        wait(desk, SAMPLE_MS)
    account = desk.exchange.floor.account(ALICE)
    assert SAMPLES_MAX / 2 < len(account.worth) <= SAMPLES_MAX
    times = [each.time_ms for each in account.worth]
    assert times == sorted(set(times))
    assert times[1] - times[0] >= 2 * SAMPLE_MS
    before, state = told(desk), desk.exchange.snapshot()
    desk.exchange = Exchange(default_universe())
    desk.exchange.restore(state)
    assert told(desk) == before
    assert Decimal(before["allTime"]["accountValueHistory"][0][1]) == 50_000
