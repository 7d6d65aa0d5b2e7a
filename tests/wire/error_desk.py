"""A desk with flow in its markets, and short words for what is refused there."""

from decimal import Decimal
from typing import Any

from agents.market.types import Side
from agents.sim.exchange import Exchange
from agents.sim.rules import Rules
from agents.sim.universe import Universe
from tests.unit.agents.sim.desk import (
    ALICE,
    BOB,
    Desk,
    order,
    orders,
)

USDC = "USDC:0x6d1e7cde53ba9467b783cb7c530ce054"
STRANGER = "0x" + "5e" * 20
AGENT = "0x" + "a9" * 20
SIGNED = {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
DAY_MS = 86_400_000


def desk(rules: Rules | None = None, universe: Universe | None = None) -> Desk:
    """Two accounts, and flow on both sides of BTC, SOL, NVDA and CRCL."""
    found = Desk(universe)
    if rules is not None:
        found.exchange = Exchange(found.exchange.universe, rules=rules)
        for who in (ALICE, BOB):
            found.exchange.fund(who, Decimal(1_000_000))
    for coin, bid, ask, sz in (
        ("BTC", "83999", "84001", "100"),
        ("SOL", "118.99", "119.01", "10000"),
        ("xyz:NVDA", "181.99", "182.01", "100000"),
        ("xyz:CRCL", "86.39", "86.41", "10000"),
    ):
        found.flow(coin, Side.BID, bid, sz)
        found.flow(coin, Side.ASK, ask, sz)
    found.block()
    return found


def error(found: Desk, *rows: dict[str, Any], who: str = ALICE, **keys: Any) -> str:
    """The last status of a batch, which must be a refusal."""
    action = orders(*rows) | keys
    return str(found.statuses(found.act(who, action))[-1]["error"])


def refused(found: Desk, action: dict[str, Any], who: str = ALICE, **options: Any) -> str:
    payload = found.act(who, action, **options)
    assert payload["status"] == "err", payload
    return str(payload["response"])


def bought(asset: int, px: str, sz: str, found: Desk | None = None) -> Desk:
    found = found or desk()
    assert "filled" in found.place(ALICE, order(asset, "B", px, sz, tif="Ioc"))[0]
    return found


def trigger(asset: int, side: str, px: str, sz: str, tpsl: str, **keys: Any) -> dict[str, Any]:
    row = order(asset, side, px, sz, reduce_only=True)
    return row | {"t": {"trigger": {"isMarket": True, "triggerPx": px, "tpsl": tpsl}}} | keys


def leverage(asset: int, value: int, *, cross: bool = True) -> dict[str, Any]:
    return {"type": "updateLeverage", "asset": asset, "isCross": cross, "leverage": value}


def isolated(asset: int, micro_usd: int) -> dict[str, Any]:
    return {"type": "updateIsolatedMargin", "asset": asset, "isBuy": True, "ntli": micro_usd}


def send(amount: str, destination: str = ALICE, target: str = "xyz") -> dict[str, Any]:
    ends = {"sourceDex": "", "destinationDex": target, "fromSubAccount": ""}
    action = {"type": "agentSendAsset", "destination": destination, "token": USDC, "nonce": 1}
    return action | ends | {"amount": amount}


def approve(
    found: Desk, name: str = "", address: str = AGENT, until_ms: int | None = None
) -> dict[str, Any]:
    """An ``approveAgent`` whose nonce is the one that ``Desk.act`` gives next."""
    if until_ms is not None:
        name = f"{name} valid_until {until_ms}".strip()
    action = {"type": "approveAgent", **SIGNED, "agentAddress": address, "agentName": name}
    return action | {"nonce": found.nonce + 1}


def signed(found: Desk, kind: str, **keys: Any) -> dict[str, Any]:
    return {"type": kind, **SIGNED, **keys, "nonce": found.nonce + 1}
