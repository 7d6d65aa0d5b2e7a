"""Situations at the embedded exchange that bring each error text of the catalogue about.

``SITUATIONS``: by the catalogue's text, what to do; it gives back the text that was answered.
``IMPOSSIBLE``: the texts that cannot occur here, with the reason.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from agents.market.types import Coin, Side
from agents.sim.rules import Rules
from agents.sim.universe import Universe, default_universe
from tests.unit.agents.sim.desk import (
    ALICE,
    BOB,
    BTC,
    CRCL,
    NVDA,
    SOL,
    Desk,
    cloid,
    order,
    orders,
)
from tests.wire.error_desk import (
    AGENT,
    DAY_MS,
    SIGNED,
    STRANGER,
    approve,
    bought,
    desk,
    error,
    isolated,
    leverage,
    refused,
    send,
    signed,
    trigger,
)

# ── orders ───────────────────────────────────────────────────────────────────────────────────


def insufficient_margin() -> str:
    return error(desk(), order(BTC, "B", "80000", "500"))


def no_liquidity() -> str:
    return error(Desk(), order(BTC, "B", "84000", "0.01", tif="FrontendMarket"))


def capped(px: str) -> Callable[[], str]:
    def run() -> str:
        found = bought(NVDA, "182.01", "10")
        found.exchange.set_oracle(Coin("xyz:NVDA"), Decimal(182))
        found.exchange.set_oi_cap(Coin("xyz:NVDA"), Decimal(1_000))
        return error(found, order(NVDA, "B", px, "1"), who=BOB)

    return run


def grown() -> str:
    found = desk()
    found.exchange.set_oi_cap(Coin("xyz:NVDA"), Decimal(1_000))
    bought(NVDA, "182.01", "1", found)
    bought(NVDA, "182.01", "3", found)
    return error(found, order(NVDA, "B", "181", "1"), who=BOB)


def tier() -> str:
    found = desk()
    found.exchange.fund(ALICE, Decimal(10) ** 9)
    found.act(ALICE, leverage(BTC, 40))
    for _ in range(9):
        found.flow("BTC", Side.ASK, "84001", "200")
        found.place(ALICE, order(BTC, "B", "84001", "200", tif="Gtc"))
    return error(found, order(BTC, "B", "83000", "200"))


def crowded() -> str:
    found = desk()
    for start in range(0, 1_000, 100):
        found.place(
            ALICE, *(order(BTC, "B", str(70_000 + n), "0.001") for n in range(start, start + 100))
        )
    return error(found, order(BTC, "B", "71000", "0.001"))


def halted() -> str:
    found = desk()
    found.exchange.halt(Coin("xyz:NVDA"), halted=True)
    return error(found, order(NVDA, "B", "181", "1"))


def dex_capped() -> str:
    listed = list(default_universe().dexes)
    listed[1] = msgspec.structs.replace(listed[1], oi_cap_usd=Decimal(1_000))
    found = bought(NVDA, "182.01", "10", desk(universe=Universe(listed)))
    return error(found, order(CRCL, "B", "86", "1"))


def size_capped() -> str:
    found = desk()
    found.exchange.set_oi_cap(Coin("xyz:NVDA"), Decimal(10) ** 15)
    found.exchange.floor.tallies[Coin("xyz:NVDA")].long_sz = Decimal(10) ** 9
    return error(found, order(NVDA, "B", "181", "1"))


def modify(oid: object, row: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"type": "batchModify", "modifies": [{"oid": oid, "order": row}], **keys}


def rested() -> tuple[Desk, int]:
    found = desk()
    oid = found.place(ALICE, order(BTC, "B", "80000", "0.01"))[0]["resting"]["oid"]
    return found, oid


def modified_badly() -> str:
    found, oid = rested()
    action = modify(oid, order(BTC, "B", "80000", "0.01", tif="Ioc"))
    return str(found.statuses(found.act(ALICE, action))[0]["error"])


def modified_late() -> str:
    found = desk()
    action = modify(cloid(1), order(BTC, "B", "80000", "0.01"))
    return str(found.statuses(found.act(ALICE, action))[0]["error"])


def modified_into_the_book() -> str:
    found, oid = rested()
    row = order(BTC, "B", "84001", "0.01")
    return refused(found, {"type": "modify", "oid": oid, "order": row})


def cancelled_late() -> str:
    action = {"type": "cancel", "cancels": [{"a": BTC, "o": 5}]}
    found = desk()
    return str(found.statuses(found.act(ALICE, action))[0]["error"])


def children(*rows: dict[str, Any]) -> str:
    first = order(BTC, "B", "80000", "0.01")
    return error(desk(), first, *rows, grouping="normalTpsl")


# ── accounts ─────────────────────────────────────────────────────────────────────────────────


def duplicate() -> str:
    found = desk()
    found.act(ALICE, {"type": "noop"}, nonce=found.now_ms)
    return refused(found, {"type": "noop"}, nonce=found.now_ms - 70)


def spent() -> str:
    found = desk(Rules(requests_free=1))
    found.act(ALICE, orders(order(BTC, "B", "80000", "0.01"), order(BTC, "B", "80001", "0.01")))
    found.act(ALICE, orders(order(BTC, "B", "80002", "0.01")))
    return refused(found, orders(order(BTC, "B", "80003", "0.01")))


def switched_off() -> str:
    found = desk(Rules(schedule_volume_usd=Decimal(0), schedules_per_day=0))
    found.exchange.floor.account(ALICE).schedules = (found.now_ms // DAY_MS, 0)
    return refused(found, {"type": "scheduleCancel", "time": found.now_ms + 10_000})


def top_up() -> str:
    return refused(desk(), {"type": "topUpIsolatedOnlyMargin", "asset": NVDA, "leverage": "5"})


def held_isolated(asset: int, px: str, sz: str, value: int) -> Desk:
    found = desk()
    found.act(ALICE, leverage(asset, value, cross=False))
    return bought(asset, px, sz, found)


def agents(*, removed: bool) -> tuple[Desk, str]:
    found = desk()
    assert found.act(ALICE, approve(found, "one"))["status"] == "ok"
    if removed:
        found.act(ALICE, approve(found, "one", "0x" + "0" * 40))
    return found, AGENT


def agent_used() -> str:
    found, address = agents(removed=False)
    return refused(found, approve(found, "two", address))


def agent_leaving() -> str:
    found, _ = agents(removed=True)
    return refused(found, approve(found, "two", STRANGER))


def agent_expired() -> str:
    found = desk()
    return refused(found, approve(found, "one", until_ms=found.now_ms - 1))


def agents_too_many() -> str:
    found = desk()
    for number in range(3):
        found.act(ALICE, approve(found, f"n{number}", f"0x{number + 1:040x}"))
    return refused(found, approve(found, "last", STRANGER))


def deposit_missing() -> str:
    found = desk()
    action = signed(found, "usdClassTransfer", amount="1", toPerp=True)
    return refused(found, action, STRANGER)


def withdrawn_too_much() -> str:
    found = desk()
    action = {"type": "withdraw3", **SIGNED, "destination": ALICE, "amount": "99999999"}
    return refused(found, action | {"time": found.nonce + 1})


def of_no_sub_account() -> str:
    found = desk()
    amount = f"1 subaccount:{BOB}"
    return refused(found, signed(found, "usdClassTransfer", amount=amount, toPerp=True))


def abstraction() -> str:
    found, _ = rested()
    return refused(found, {"type": "agentSetAbstraction", "abstraction": "u"})


SITUATIONS: dict[str, Callable[[], str]] = {
    "Price must be divisible by tick size.": lambda: error(desk(), order(BTC, "B", "80000.5", "1")),
    "Order must have minimum value of $10.": lambda: error(
        desk(), order(BTC, "B", "80000", "0.0001")
    ),
    "Insufficient margin to place order.": insufficient_margin,
    "Reduce only order would increase position.": lambda: error(
        desk(), order(BTC, "B", "80000", "0.01", reduce_only=True)
    ),
    "Post only order would have immediately matched, bbo was {bid}@{ask}.": lambda: error(
        desk(), order(BTC, "B", "84001", "0.01")
    ),
    "Order could not immediately match against any resting orders.": lambda: error(
        desk(), order(BTC, "B", "83999", "0.01", tif="Ioc")
    ),
    "Invalid TP/SL price.": lambda: error(
        bought(BTC, "84001", "0.01"), trigger(BTC, "A", "90000", "0.01", "sl")
    ),
    "No liquidity available for market order.": no_liquidity,
    "Order would increase open interest while open interest is capped": capped("181"),
    "Order rejected due to price more aggressive than oracle while at open interest cap": capped(
        "182.5"
    ),
    "Order would increase open interest too quickly": grown,
    "Order price too far from oracle": lambda: error(
        desk(), order(BTC, "B", "130000", "0.01", tif="Ioc")
    ),
    "Order would cause position to exceed margin tier limit at current leverage": tier,
    "Order value too large. Max is $5000000.": lambda: error(
        desk(), order(SOL, "B", "119.01", "50000", tif="Ioc")
    ),
    "Order price cannot be more than 95% away from the reference price": lambda: error(
        desk(), order(BTC, "B", "4000", "0.01")
    ),
    "Order has invalid size.": lambda: error(desk(), order(BTC, "B", "80000", "0.0000001")),
    "Order has invalid price.": lambda: error(desk(), order(BTC, "B", "0", "1")),
    "Order has zero size.": lambda: error(desk(), order(BTC, "B", "80000", "0")),
    "Too many open orders": crowded,
    "Trading is halted.": halted,
    "Perp DEX open interest is at cap.": dex_capped,
    "Asset open interest is at cap.": size_capped,
    "Attempted to modify to invalid new order": modified_badly,
    "Cannot modify canceled or filled order": modified_late,
    "Insufficient delegatable balance for priority order": lambda: error(
        desk(), order(BTC, "B", "80000", "0.01"), grouping={"p": 1}
    ),
    "Builder fee has not been approved.": lambda: error(
        desk(), order(BTC, "B", "80000", "0.01"), builder={"b": STRANGER, "f": 10}
    ),
    "Order was never placed, already canceled, or filled.": cancelled_late,
    "Orders are empty": lambda: error(desk()),
    "Trigger order is not reduce only.": lambda: error(
        desk(), trigger(BTC, "A", "80000", "0.01", "sl", r=False)
    ),
    "Trigger order has unexpected side.": lambda: children(
        trigger(BTC, "B", "79000", "0.01", "sl")
    ),
    "Unexpected number of trigger orders": children,
    "User or API Wallet {recovered_address} does not exist.": lambda: refused(
        desk(), {"type": "noop"}, STRANGER
    ),
    "Must deposit before performing actions. User: {address}": deposit_missing,
    "Invalid nonce: duplicate nonce {n}": duplicate,
    "Invalid nonce: nonce too low {n} < {min}": lambda: refused(desk(), {"type": "noop"}, nonce=1),
    "Action already expired": lambda: refused(desk(), {"type": "noop"}, expires_after_ms=1),
    "Vault not registered: {address}": lambda: refused(desk(), {"type": "noop"}, vault=STRANGER),
    "Sub-account {a} is not registered to {b}": of_no_sub_account,
    "Invalid sub-account transfer from {a} to {b}": lambda: refused(
        desk(),
        {"type": "subAccountTransfer", "subAccountUser": STRANGER, "isDeposit": True, "usd": 10},
    ),
    "Error placing new order during modify: {inner order error}": modified_into_the_book,
    "Cannot set scheduled cancel time until enough volume traded. "
    "Required: $1000000. Traded: ${x}.": lambda: refused(desk(), {"type": "scheduleCancel"}),
    "Too many scheduled cancels triggered for the day. Limit is {n}": switched_off,
    "Cannot create sub-accounts until enough volume traded. "
    "Required: $100000. Traded: ${x}.": lambda: refused(
        desk(), {"type": "createSubAccount", "name": "one"}
    ),
    "Cannot switch leverage type with open position.": lambda: refused(
        bought(BTC, "84001", "0.01"), leverage(BTC, 20, cross=False)
    ),
    "Invalid leverage value": lambda: refused(desk(), leverage(BTC, 41)),
    "Cross margin is not allowed for this asset.": lambda: refused(desk(), leverage(CRCL, 5)),
    "Position does not use isolated margin.": lambda: refused(
        bought(BTC, "84001", "0.01"), isolated(BTC, 1_000_000)
    ),
    "Update to isolated margin cannot be zero.": lambda: refused(
        held_isolated(BTC, "84001", "0.01", 5), isolated(BTC, 0)
    ),
    "Cannot update margin for empty position.": lambda: refused(desk(), isolated(BTC, 1)),
    "Account does not have sufficient margin available for increase.": lambda: refused(
        held_isolated(BTC, "84001", "0.01", 5), isolated(BTC, 10**13)
    ),
    "Position does not have sufficient margin for reduction.": lambda: refused(
        held_isolated(BTC, "84001", "0.01", 5), isolated(BTC, -(10**8))
    ),
    "Cannot remove isolated margin for this asset. "
    "To remove margin, reduce the position.": lambda: refused(
        bought(CRCL, "86.41", "10"), isolated(CRCL, -1)
    ),
    "Asset not strict isolated": top_up,
    "Too many cumulative requests sent ({used} > {cap}) for cumulative volume traded ${x}. "
    "Place taker orders to free up 1 request per USDC traded.": spent,
    "Agent valid_until already expired.": agent_expired,
    "Extra agent already used.": agent_used,
    "User has pending agent removal": agent_leaving,
    "Too many extra agents for cumulative volume traded. Current limit is {n}": agents_too_many,
    "Agent can only send asset to same user or their sub-accounts.": lambda: refused(
        desk(), send("1", STRANGER)
    ),
    "Invalid send": lambda: refused(desk(), send("1.0000001")),
    "Insufficient balance for token transfer": lambda: refused(desk(), send("99999999")),
    "Insufficient balance for withdrawal": withdrawn_too_much,
    "Abstraction transition not allowed": abstraction,
    "Referral code not registered": lambda: refused(desk(), {"type": "setReferrer", "code": "X"}),
}
OLDER = "an older wording of a text that is given"
SPOT = "no spot orders are taken"
IMPOSSIBLE: dict[str, str] = {
    "Order must have minimum value of 10 {quote_token}.": SPOT,
    "Order has insufficient spot balance to trade": SPOT,
    "Cannot increase position when open interest is at cap.": OLDER,
    "Cannot flip position when open interest is at cap.": OLDER,
    "Open interest is increasing too quickly. Try again in a few seconds.": OLDER,
    "Order would exceed maximum position size for current leverage.": OLDER,
    "L1 error: User or API Wallet {recovered_address} does not exist.": OLDER,
}
