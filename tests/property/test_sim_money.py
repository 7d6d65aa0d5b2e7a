"""No money is made or lost: cash, positions, holds and sums of accounts over random trading."""

import random
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.market.types import Coin
from agents.sim.exchange import Exchange
from agents.sim.outputs import FillRow
from agents.sim.universe import default_universe

USERS = [f"0x{i}{i}" + "0" * 38 for i in range(1, 4)]
DEPOSIT_USD = Decimal("2000.123456")
ASSETS = {
    0: (84_000, 1, "0.001"),
    2: (119, 1, "1"),
    110_005: (86, 1, "1"),
    130_000: (84_000, 1, "0.001"),
}


def draw_step(rng: random.Random) -> tuple[Any, ...]:
    """Mostly orders that meet one another; some cancels; now and then another leverage."""
    user, asset = rng.choice(USERS), rng.choice(sorted(ASSETS))
    kind = rng.random()
    if kind < 0.8:
        tif = rng.choice(["Gtc", "Gtc", "Alo", "Ioc"])
        terms = rng.randint(-2, 2), rng.randint(1, 30), tif, rng.random() < 0.25
        return "order", user, asset, rng.random() < 0.5, *terms
    if kind < 0.93:
        return "cancel", user, rng.randrange(6)
    return "leverage", user, asset, rng.random() < 0.5, rng.randint(1, 12)


def action_of(exchange: Exchange, step: tuple[Any, ...]) -> dict[str, Any]:
    match step:
        case ("order", _, asset, buys, offset, lots, tif, reduce_only):
            px, tick, lot = ASSETS[asset]
            wire = {"a": asset, "b": buys, "p": str(px + offset * tick)}
            wire |= {"s": str(lots * Decimal(lot)), "r": reduce_only, "t": {"limit": {"tif": tif}}}
            return {"type": "order", "orders": [wire], "grouping": "na"}
        case ("cancel", user, place):
            live = list(exchange.floor.account(user).open.values())
            chosen = [live[place % len(live)]] if live else []
            asset_ids = [exchange.universe.listings[r.coin].asset_id for r in chosen]
            cancels = [{"a": a, "o": r.order.oid} for a, r in zip(asset_ids, chosen, strict=True)]
            return {"type": "cancel", "cancels": cancels}
        case _:
            _, _, asset, crosses, value = step
            action = {"type": "updateLeverage", "asset": asset, "isCross": crosses}
            return action | {"leverage": value}


def check_cash(exchange: Exchange) -> None:
    """Per DEX: balances, isolated cash and fees sum to the deposits; positions net to zero."""
    floor = exchange.floor
    for dex in exchange.universe.dexes:
        clearings = [floor.account(user).clearing(dex.name) for user in USERS]
        raw = sum((c.raw_usd for c in clearings), Decimal(0))
        raw += sum((p.raw_usd for c in clearings for p in c.positions.values()), Decimal(0))
        assert raw + floor.collected_usd[dex.name] == DEPOSIT_USD * len(USERS)
        for asset in dex.assets:
            assert sum((c.szi(asset.name) for c in clearings), Decimal(0)) == 0


def check_orders(exchange: Exchange) -> None:
    """Accounts and books hold the same orders; holds are their notional; reduce-only fits."""
    floor = exchange.floor
    for user in USERS:
        account = floor.account(user)
        holds: dict[tuple[Coin, bool], Decimal] = {}
        reducing: dict[Coin, Decimal] = {}
        for oid, record in account.open.items():
            order = record.order
            assert floor.markets[record.coin].order(oid) is order
            assert order.sz > 0
            if order.reduce_only:
                reducing[record.coin] = reducing.get(record.coin, Decimal(0)) + order.sz
                clearing = account.clearing(floor.listing(record.coin).dex)
                assert clearing.szi(record.coin) * order.side.sign < 0
            else:
                key = record.coin, order.side.sign > 0
                holds[key] = holds.get(key, Decimal(0)) + order.px * order.sz
        for dex, clearing in account.clearings.items():
            for coin, sz in reducing.items():
                if floor.listing(coin).dex == dex:
                    assert sz <= abs(clearing.szi(coin))
            for coin, hold in clearing.holds.items():
                assert hold.bid_usd == holds.get((coin, True), 0)
                assert hold.ask_usd == holds.get((coin, False), 0)


def check_state(exchange: Exchange, user: str, dex: str, now_ms: int) -> None:
    """The identities of the venue's clearinghouseState, to the last digit."""
    state: Any = exchange.info({"type": "clearinghouseState", "user": user, "dex": dex}, now_ms)
    cross, whole = state["crossMarginSummary"], state["marginSummary"]
    value = Decimal(whole["totalRawUsd"])
    isolated = Decimal(0)
    for row in state["assetPositions"]:
        position = row["position"]
        signed = Decimal(position["positionValue"])
        signed = signed if Decimal(position["szi"]) > 0 else -signed
        value += signed
        if position["leverage"]["type"] == "isolated":
            equity = Decimal(position["leverage"]["rawUsd"]) + signed
            assert Decimal(position["marginUsed"]) == equity
            isolated += equity
    assert Decimal(whole["accountValue"]) == value
    assert Decimal(whole["accountValue"]) == Decimal(cross["accountValue"]) + isolated


@given(seed=st.integers(0, 2**32), length=st.integers(0, 250))
@settings(max_examples=40, deadline=None)
@example(seed=1, length=600)
def test_money_orders_and_sums_agree_after_every_block(seed: int, length: int) -> None:
    rng = random.Random(seed)
    exchange = Exchange(default_universe())
    for user in USERS:
        exchange.fund(user, DEPOSIT_USD)
    now_ms = 1_795_000_000_000
    positions: dict[tuple[str, str], Decimal] = {}
    for i in range(length):
        step = draw_step(rng)
        now_ms += 70
        exchange.submit(i, step[1], action_of(exchange, step), now_ms)
        for output in exchange.block(now_ms):
            if isinstance(output, FillRow):  # fills chain by their start positions
                row: Any = output.row
                key = output.user, row["coin"]
                assert Decimal(row["startPosition"]) == positions.get(key, Decimal(0))
                signed = Decimal(row["sz"]) * (1 if row["side"] == "B" else -1)
                positions[key] = positions.get(key, Decimal(0)) + signed
        check_cash(exchange)
        check_orders(exchange)
    for user in USERS:
        for dex in ("", "xyz", "hyna"):
            check_state(exchange, user, dex, now_ms)
    twin = Exchange(default_universe())
    twin.restore(exchange.snapshot())
    assert twin.snapshot() == exchange.snapshot()
    check_orders(twin)
