"""Our answers have the keys, types and number formats of those that were really recorded."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.utils.signing import get_timestamp_ms, sign_l1_action
from hyperliquid.utils.types import Cloid
from websockets.sync.client import connect

from agents.sim.info_spot import token_id
from tests.conformance import recorded
from tests.conformance.conftest import KEY
from tests.conformance.recorded import ABSENT, Answered
from tests.conformance.shape import differences
from tests.conformance.venue import ROOT, VenueProcess

HOUR_MS = 3_600_000
LEAD_MS = 2_000
GTC = {"limit": {"tif": "Gtc"}}
BUILDER = "0x" + "b1" * 20
USDC = "USDC:" + token_id("USDC")
USER_CHANNELS = (
    "clearinghouseState",
    "allDexsClearinghouseState",
    "openOrders",
    "orderUpdates",
    "notification",
    "spotState",
    "twapStates",
    "userEvents",
    "userFills",
    "userFundings",
    "userHistoricalOrders",
    "userNonFundingLedgerUpdates",
    "userTwapSliceFills",
    "webData2",
    "webData3",
)
MAY_BE_EMPTY = {"perpsAtOpenInterestCap", "userTwapSliceFills"}
# Frames that this venue has no occasion to send, and why.
NEVER_SENT = {
    "user_twapSliceFills": "TWAP orders are not offered",
    "user_liquidation": "tests/unit/agents/sim/test_liquidating.py sees one",
    "notification": "sent to makers alone; tests/unit/fleet/venue/test_user_rows.py sees one",
}

pytestmark = pytest.mark.skipif(not recorded.FOLDER.is_dir(), reason=ABSENT)


@dataclass
class Shown:
    """A venue whose clock stands still, an account to which much happened, and what it was told."""

    venue: VenueProcess
    address: str
    frames: list[dict[str, Any]]
    agent: str = ""
    answers: list[Any] = field(default_factory=list)

    def asked(self, request: dict[str, Any], *, of_agent: bool = False) -> Any:
        bars = {"coin": "BTC", "interval": "1m", "startTime": 0, "endTime": 2**50}
        given = {"builder": BUILDER, "tokenId": token_id("USDC"), **request}
        given |= {"user": self.agent if of_agent else self.address, "coin": "BTC"}
        return self.venue.post("/info", given | {"startTime": 0, "endTime": None, "req": bars})


class Overheard(Exchange):  # type: ignore[misc]
    """The SDK's exchange, and all that it was answered."""

    def __init__(self, wallet: Any, url: str, answers: list[Any]) -> None:
        super().__init__(wallet, url)
        self._answers = answers

    def post(self, url_path: str, payload: Any = None) -> Any:
        answer = super().post(url_path, payload)
        if url_path == "/exchange":
            self._answers.append(answer)
        return answer


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    wallet = eth_account.Account.from_key(KEY)
    hour_ms = (int(time.time() * 1000) // HOUR_MS + 1) * HOUR_MS
    config: Path = tmp_path_factory.mktemp("shapes") / "venue.json"
    config.write_text(
        json.dumps(
            {
                "clock": "manual",
                "start_ms": hour_ms - LEAD_MS,
                "block_ms": 0,
                "latency_ms": {"ack": 0, "feed": 0, "jitter": 0},
                "flow": "lively",
                "fund": {wallet.address: 1_000_000},
            }
        )
    )
    venue = VenueProcess.start("--config", str(config))
    try:
        found = Shown(venue, wallet.address.lower(), [])
        with connect(venue.ws, compression=None, max_size=None) as link:
            _listen(link, found.address)
            found.agent = _busy(Overheard(wallet, venue.url, found.answers), venue)
            venue.post("/admin/step", {"ms": 2 * LEAD_MS + 6_000})
            link.send('{"method":"ping"}')
            while not found.frames or found.frames[-1] != {"channel": "pong"}:
                found.frames.append(json.loads(link.recv(timeout=10)))
        yield found
    finally:
        venue.kill()


def _listen(link: Any, address: str) -> None:
    wanted: list[dict[str, Any]] = [{"type": kind, "user": address} for kind in USER_CHANNELS]
    wanted += [{"type": kind, "coin": "BTC"} for kind in ("bbo", "trades", "activeAssetCtx")]
    wanted += [
        {"type": "openOrders", "user": address, "dex": "xyz"},
        {"type": "activeAssetData", "user": address, "coin": "LTC"},
        {"type": "activeAssetCtx", "coin": "@150"},
        {"type": "l2Book", "coin": "BTC"},
        {"type": "l2Book", "coin": "BTC", "fast": True},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 4},
        {"type": "candle", "coin": "BTC", "interval": "1m"},
        {"type": "allDexsAssetCtxs"},
        {"type": "allMids"},
        {"type": "allMids", "dex": "xyz"},
        {"type": "trades", "coin": "BTC"},
        {"type": "bogus"},
        {"type": "activeAssetData", "user": address, "coin": "@107"},
    ]
    for subscription in wanted:
        link.send(json.dumps({"method": "subscribe", "subscription": subscription}))
    never = {"type": "trades", "coin": "SOL"}
    link.send(json.dumps({"method": "unsubscribe", "subscription": never}))
    payload = {"type": "info", "payload": {"type": "bogusInfoType"}}
    link.send(json.dumps({"method": "post", "id": 4, "request": payload}))


def _busy(exchange: Any, venue: VenueProcess) -> str:
    """Fills, orders open and dead, positions cross and isolated, transfers; the agent's address."""
    mids = venue.post("/info", {"type": "allMids"}) | venue.post(
        "/info", {"type": "allMids", "dex": "xyz"}
    )
    px = {coin: float(mid) for coin, mid in mids.items()}
    low = {coin: float(f"{mid * 0.97:.4g}") for coin, mid in px.items()}
    address = exchange.wallet.address
    exchange.update_leverage(5, "LTC", is_cross=False)
    exchange.approve_builder_fee(BUILDER, "0.01%")
    exchange.market_open("BTC", True, 1.0, builder={"b": BUILDER, "f": 1})
    exchange.market_open("BTC", True, 0.5)
    exchange.market_open("LTC", True, 10)
    exchange.order("XRP", False, 100, low["XRP"], {"limit": {"tif": "Ioc"}}, reduce_only=True)
    exchange.bulk_orders(_parent(px["DOGE"]), grouping="normalTpsl")
    exchange.order("ETH", True, 1.0, low["ETH"], GTC, cloid=Cloid.from_int(5))
    resting = exchange.order("SOL", True, 10.0, low["SOL"], GTC)
    exchange.cancel("SOL", resting["response"]["data"]["statuses"][0]["resting"]["oid"])
    stop = {"trigger": {"triggerPx": low["BTC"], "isMarket": True, "tpsl": "sl"}}
    exchange.order("BTC", False, 0.1, float(round(low["BTC"] * 0.9)), stop, reduce_only=True)
    for _ in range(2):  # the older reduce-only order gives way: the venue cancels it
        exchange.order("LTC", False, 10, float(f"{px['LTC'] * 1.05:.4g}"), GTC, reduce_only=True)
    _, key = exchange.approve_agent("recorded")
    exchange.usd_class_transfer(10.0, to_perp=False)
    exchange.send_asset(address, "", "xyz", USDC, 5.0)
    exchange.withdraw_from_bridge(5.0, address)
    exchange.usd_transfer(2.0, BUILDER)
    exchange.create_sub_account("second")
    twap = {"a": 0, "b": True, "s": "1", "r": False, "m": 5, "t": False}
    _act(exchange, {"type": "twapOrder", "twap": twap})
    return str(eth_account.Account.from_key(key).address)


def _act(exchange: Any, action: dict[str, Any]) -> None:
    """An action for which the SDK has no word."""
    nonce = get_timestamp_ms()
    signature = sign_l1_action(exchange.wallet, action, None, nonce, None, False)
    exchange.post("/exchange", {"action": action, "nonce": nonce, "signature": signature})


def _parent(px: float) -> list[dict[str, Any]]:
    """A buy that fills, with its take-profit and its stop."""
    buy = {"coin": "DOGE", "is_buy": True, "sz": 500, "reduce_only": False}
    buy |= {"limit_px": float(f"{px * 1.03:.3g}"), "order_type": {"limit": {"tif": "Ioc"}}}
    away = {"tp": float(f"{px * 1.2:.3g}"), "sl": float(f"{px * 0.8:.3g}")}
    children = [
        buy
        | {"is_buy": False, "reduce_only": True, "limit_px": at}
        | {"order_type": {"trigger": {"triggerPx": at, "isMarket": True, "tpsl": kind}}}
        for kind, at in away.items()
    ]
    return [buy, *children]


def ids(answers: list[Answered]) -> list[str]:
    return [answer.name for answer in answers]


def test_every_recorded_file_is_looked_at() -> None:
    looked_at = {
        each.file
        for kind in (recorded.infos(), recorded.frames(), recorded.exchanges())
        for each in kind
    }
    requests = {file for file in recorded.files() if file.startswith("client_requests/")}
    excused = {name for name in recorded.EXCUSED if name.endswith(".json")}
    assert set(recorded.files()) == looked_at | requests | excused
    assert not looked_at & excused
    assert recorded.overlooked() == set()


@pytest.mark.parametrize("real", recorded.infos(), ids=ids(recorded.infos()))
def test_an_answer_has_the_recorded_shape(shown: Shown, real: Answered) -> None:
    ours = shown.asked(real.request, of_agent=real.name == "userRole_agent")
    assert ours or real.request["type"] in MAY_BE_EMPTY
    assert list(differences(real.answer, ours)) == []


@pytest.mark.parametrize("real", recorded.frames(), ids=ids(recorded.frames()))
def test_a_frame_has_the_recorded_shape(shown: Shown, real: Answered) -> None:
    reason = NEVER_SENT.get(real.name.rpartition("-")[0])
    if reason is not None:
        pytest.skip(reason)
    sent = [frame for frame in shown.frames if frame["channel"] == real.answer["channel"]]
    assert sent
    found = [list(differences(real.answer, _like(real.answer, frame))) for frame in sent]
    assert min(found, key=len) == []


def _like(real: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """An error's text is compared as far as its colon or brace; all else as it is."""
    if real["channel"] != "error":
        return ours
    said, heard = (str(each["data"]).split("{")[0] for each in (real, ours))
    return ours if said == heard else {"channel": "error", "data": None, "other": heard}


@pytest.mark.parametrize("real", recorded.exchanges(), ids=ids(recorded.exchanges()))
def test_an_action_is_answered_in_the_recorded_shape(shown: Shown, real: Answered) -> None:
    if real.answer["status"] == "err":
        said = real.answer["response"].split("0x")[0].split(". ")[0].rstrip("0123456789.: ")
        files = (*(ROOT / "agents/sim").glob("*.py"), *(ROOT / "fleet/venue").glob("*.py"))
        assert any(said in path.read_text() for path in files)
        return
    assert [] in [list(differences(real.answer, ours)) for ours in shown.answers]


@pytest.mark.parametrize("channel", ["userFundings", "userNonFundingLedgerUpdates", "user"])
def test_what_is_compared_is_not_empty(shown: Shown, channel: str) -> None:
    told = [frame["data"] for frame in shown.frames if frame["channel"] == channel]
    assert any(value for data in told for value in data.values() if isinstance(value, list))


def test_a_difference_is_seen() -> None:
    real = {"px": "1.0", "rows": [{"oid": 1, "side": "B"}]}
    ours = {"px": "1", "rows": [{"oid": "1", "odd": 1}]}
    assert sorted(differences(real, ours)) == [
        ".px: a number such as 1.0 became 1",
        ".rows[].oid: int became str",
        ".rows[]: has ['odd'] besides",
        ".rows[]: lacks ['side']",
    ]
