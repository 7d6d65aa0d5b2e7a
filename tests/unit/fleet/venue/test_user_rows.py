"""What a block tells an account: one frame a channel for all that happened in it."""

from agents.market.units import NS_PER_MS
from agents.sim.funding import HOUR_MS
from tests.unit.fleet.venue.rig import ADDRESS, Rig, order, status

USER = {"user": ADDRESS}


async def test_the_hour_s_funding_reaches_both_of_its_channels() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="userFundings", **USER)
    client.subscribe(type="userEvents", **USER)
    assert "filled" in status(await rig.act(order(rig.mid_px() * 1.02, tif="Ioc")))
    rig.wait(HOUR_MS - rig.now_ns // NS_PER_MS % HOUR_MS + 70)
    snapshot, told = client.of("userFundings")
    assert snapshot["fundings"] == []
    assert [row["coin"] for row in told["fundings"]] == ["BTC"]
    assert "isSnapshot" not in told
    event = client.of("user")[-1]["funding"]
    assert event == told["fundings"][0]
    assert event.keys() == {"time", "coin", "usdc", "szi", "fundingRate", "nSamples"}


async def test_a_transfer_reaches_the_ledger_s_channel() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="userNonFundingLedgerUpdates", **USER)
    action = {
        "type": "agentSendAsset",
        "destination": ADDRESS,
        "sourceDex": "",
        "destinationDex": "spot",
        "token": "USDC:0x6d1e7cde53ba9467b783cb7c530ce054",
        "amount": "5",
        "fromSubAccount": "",
        "nonce": 1,
    }
    assert (await rig.act(action))["status"] == "ok"
    told = client.of("userNonFundingLedgerUpdates")[-1]
    assert "isSnapshot" not in told
    assert [row["delta"]["type"] for row in told["nonFundingLedgerUpdates"]] == ["send"]


async def test_the_history_s_rows_are_those_of_the_request() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="userHistoricalOrders", **USER)
    await rig.act(order(rig.mid_px() * 0.98))
    told = client.of("userHistoricalOrders")[-1]["orderHistory"]
    asked = rig.venue.exchange.info({"type": "historicalOrders", **USER}, rig.venue.now_ms)
    assert told == asked
