"""What was really recorded of the venue, every file of it: requests, answers, frames."""

import json
import os
from dataclasses import dataclass
from typing import Any

from tests.conformance.venue import ROOT

FOLDER = (ROOT / os.environ.get("FLEET_SHARED", "../shared") / "fixtures").resolve()
ABSENT = "the recorded answers are not here; set FLEET_SHARED to their folder"
# Files that carry no request: what was asked, by file or by the item's name.
ASKED: dict[str, dict[str, Any]] = {
    "eugene/perpdexs.json": {"type": "perpDexs"},
    "eugene/clearinghouse_small.json": {"type": "clearinghouseState"},
    "eugene/clearinghouse_whale.json": {"type": "clearinghouseState"},
    "eugene/l2book_btc_nsf3.json": {"type": "l2Book", "coin": "BTC", "nSigFigs": 3},
    "eugene/l2book_btc_nsf5.json": {"type": "l2Book", "coin": "BTC", "nSigFigs": 5},
    "eugene/l2book_btc_nsf5_m5.json": {
        "type": "l2Book",
        "coin": "BTC",
        "nSigFigs": 5,
        "mantissa": 5,
    },
    "nautilus/http_funding_history.json": {"type": "fundingHistory"},
    "nautilus/http_l2_book_btc.json": {"type": "l2Book"},
    "nautilus/http_recent_trades_btc.json": {"type": "recentTrades"},
    "nautilus/http_spot_clearinghouse_state.json": {"type": "spotClearinghouseState"},
    "nautilus/http_spot_meta_non_usdc_collateral.json": {"type": "spotMeta"},
    "nautilus/http_all_perp_metas_non_usdc_collateral.json": {"type": "allPerpMetas"},
    "nautilus/http_user_fills_dust_conversion.json": {"type": "userFills"},
    "Futures/Account/GetAccountInfo": {"type": "clearinghouseState"},
    "Futures/Account/GetFundingHistory": {"type": "userFunding"},
    "Futures/ExchangeData/GetExchangeInfo": {"type": "meta"},
    "Futures/ExchangeData/GetExchangeInfoAndTickers": {"type": "metaAndAssetCtxs"},
    "Futures/ExchangeData/GetFundingRateHistory": {"type": "fundingHistory"},
    "Futures/ExchangeData/GetSymbolsAtMaxOpenInterest": {"type": "perpsAtOpenInterestCap"},
    "Spot/Account/GetAccountLedger": {"type": "userNonFundingLedgerUpdates"},
    "Spot/Account/GetApprovedBuilderFee": {"type": "maxBuilderFee"},
    "Spot/Account/GetBalances": {"type": "spotClearinghouseState"},
    "Spot/Account/GetExtraAgents": {"type": "extraAgents"},
    "Spot/Account/GetRateLimits": {"type": "userRateLimit"},
    "Spot/Account/GetSubAccounts": {"type": "subAccounts"},
    "Spot/ExchangeData/GetAssetInfo": {"type": "tokenDetails"},
    "Spot/ExchangeData/GetExchangeInfo": {"type": "spotMeta"},
    "Spot/ExchangeData/GetExchangeInfoAndTickers": {"type": "spotMetaAndAssetCtxs"},
    "Spot/ExchangeData/GetKlines": {"type": "candleSnapshot"},
    "Spot/ExchangeData/GetOrderBook": {"type": "l2Book"},
    "Spot/ExchangeData/GetPrices": {"type": "allMids"},
    "Spot/Trading/GetOpenOrders": {"type": "openOrders"},
    "Spot/Trading/GetOpenOrdersExtended": {"type": "frontendOpenOrders"},
    "Spot/Trading/GetUserTrades": {"type": "userFills"},
    "historicalOrders_two_rows_same_oid": {"type": "historicalOrders"},
    "userFills_builderFee_and_hip3_liquidation": {"type": "userFills"},
}
# Files, or items of them, that are not compared, and why.
EXCUSED: dict[str, str] = {
    "nautilus/http_meta_perp_sample.json": "written again by its finder: absent flags as null",
    "nautilus/http_l2_book_snapshot.json": "written by hand: prices that no tick allows, no n",
    "nautilus/ws_book_data.json": "written by hand: prices that no tick allows",
    "sdk_cassettes/delegator_history.json": "staking: here nobody has any",
    "sdk_cassettes/user_vault_equities.json": "vaults: here nobody has any",
    "nautilus/http_clearinghouse_state_negative_total_raw_usd.json": "trimmed by its finder",
    "Spot/Account/GetSubAccounts2": "of a portfolio-margin account, and trimmed by its finder",
    "Subscriptions/Concurrent.txt-4": "trimmed by its finder",
    "Subscriptions/Concurrent.txt-5": "trimmed by its finder",
    "position_after_open": "a position alone; clearinghouseState has it whole",
    "info_unknown_type": "a 422; test_venue_process.py asks for one",
    "signing_vectors.json": "tests/wire/test_signing_vectors.py takes each of them both ways",
    "errors.json": "a catalogue of texts; tests/unit/agents/exchange reads them by prefix",
}


@dataclass(frozen=True)
class Answered:
    """What was asked of ``/info`` and answered, or ``channel`` and a frame's data."""

    name: str
    file: str
    request: dict[str, Any]
    answer: Any


def files() -> list[str]:
    """Every file there is, relative to the folder; none where the folder is absent."""
    found = (path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json"))
    return sorted(found)


def infos() -> list[Answered]:
    """Every answer of ``/info``."""
    found: list[Answered] = []
    for file in files():
        for name, request, answer in _pairs(file):
            if request is not None and name not in EXCUSED and file not in EXCUSED:
                found.append(Answered(name, file, request, answer))
    return found


def frames() -> list[Answered]:
    """Every frame of a channel."""
    found: list[Answered] = []
    for file in files():
        if file not in EXCUSED:
            found += [
                Answered(f"{name}-{at}", file, {}, frame)
                for at, (name, frame) in enumerate(_frames(file))
                if "data" in frame and f"{name}-{at}" not in EXCUSED
            ]
    return found


def exchanges() -> list[Answered]:
    """Every answer of ``/exchange``, with its request where it was kept."""
    found: list[Answered] = []
    for file in files():
        content = _read(file)
        if file.startswith("exchange/testnet"):
            found += [
                Answered(pair["name"], file, pair.get("envelope", {}), pair["response"])
                for pair in content["pairs"]
                if "status" in pair["response"]
            ]
        elif file.startswith(("exchange/", "http/mainnet")):
            for item in content["items"]:
                answers = item.get("response")
                for answer in answers if isinstance(answers, list) else [answers]:
                    if isinstance(answer, dict) and "response" in answer:
                        found.append(Answered(item["name"], file, {}, answer))
        elif file == "jkorf/http_responses.json":
            found += [
                Answered(_endpoint(row), file, {}, row["response"])
                for row in content
                if row["path"] == "/exchange"
            ]
    return found


def overlooked() -> set[str]:
    """Items that none of the above gives and nobody excused."""
    named = {(each.file, each.name) for each in (*infos(), *exchanges())}
    framed = {(each.file, each.name.rpartition("-")[0]) for each in frames()}
    return {
        name
        for file in files()
        if file not in EXCUSED and not file.startswith(("client_requests/", "ws/"))
        for name, _, _ in ([] if file.endswith("ws_frames.json") else _pairs(file))
        if name not in EXCUSED and (file, name) not in named | framed
    }


def client_requests() -> list[dict[str, Any]]:
    """What unmodified clients sent."""
    return [
        row
        for file in files()
        if file.startswith("client_requests/")
        for row in _read(file)["requests"]
    ]


def _read(file: str) -> Any:
    return json.loads((FOLDER / file).read_text())


def _pairs(file: str) -> list[tuple[str, dict[str, Any] | None, Any]]:
    """(name, what was asked, the answer) of a file's ``/info`` answers."""
    content = _read(file)
    match file.split("/", maxsplit=1)[0]:
        case "sdk_cassettes":
            return [(file, row["request"]["body"], row["response"]) for row in content]
        case "jkorf" if file.endswith("http_responses.json"):
            names = [(_endpoint(row), row["response"]) for row in content]
            return [(name, ASKED.get(name), answer) for name, answer in names]
        case "http" if "items" in content:
            return [
                (row["name"], row.get("request"), row.get("response")) for row in content["items"]
            ]
        case "http":
            answer = [{"universe": [row[0] for row in content["hip3"]]}, []]
            answer[1] = [row[1] for row in content["hip3"]]
            return [(file, {"type": "metaAndAssetCtxs", "dex": "xyz"}, answer)]
        case "exchange" if "items" in content:
            return [
                (row["name"], ASKED.get(row["name"]), row["response"]) for row in content["items"]
            ]
        case "exchange":
            pairs = content["pairs"]
            return [(row["name"], row.get("info_request"), row["response"]) for row in pairs]
        case _:
            return [(file, ASKED.get(file), content)]


def _endpoint(row: dict[str, Any]) -> str:
    return str(row["file"]).removeprefix("Endpoints/").removesuffix(".txt")


def _frames(file: str) -> list[tuple[str, dict[str, Any]]]:
    content = _read(file)
    match file.split("/", maxsplit=1)[0]:
        case "ws":
            return [(row["name"], row["frame"]) for row in content["frames"]]
        case "jkorf" if file.endswith("ws_frames.json"):
            return [
                (row["file"], frame["json"])
                for row in content
                for frame in row["frames"]
                if frame["dir"] == "server"
            ]
        case "http" if "items" in content:
            rows = [row for row in content["items"] if row["name"].startswith("ws_")]
            return [(row["name"], row["response"]) for row in rows]
        case "nautilus" if "/ws_" in file and "channel" in content:
            return [(file, content)]
        case _:
            return []
