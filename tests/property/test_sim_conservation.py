"""Equity, fees and what others hold sum to the deposits, to the last digit, whatever happens.

Crashing prices, funding hours, liquidations, backstop and deleveraging, transfers between DEXs of
three collaterals, sub-accounts and users, withdrawals, brackets, modifies and halts included.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.market.types import Side
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from tests.property.sim_market import RULES, START_PX, Run

ZERO = Decimal(0)


def check_cash(exchange: Exchange) -> None:
    """By token: balances, isolated cash, spot, fees and what others have sum to the deposits."""
    floor = exchange.floor
    cash: defaultdict[str, Decimal] = defaultdict(Decimal)
    cash["USDC"] += floor.withdrawn_usd
    for account in floor.accounts.values():
        for token, amount in account.spot.items():
            assert amount >= 0
            cash[token] += amount
        for dex, clearing in account.clearings.items():
            token = exchange.universe.by_dex[dex].token
            cash[token] += clearing.raw_usd
            for position in clearing.positions.values():
                cash[token] += position.raw_usd
    for each in exchange.universe.dexes:
        cash[each.token] += floor.collected_usd[each.name] + floor.outside_usd[each.name]
        cash[each.token] -= floor.deposited_usd[each.name]
    assert {token: left for token, left in cash.items() if left} == {}


def check_positions(exchange: Exchange) -> None:
    """Every coin bought is sold by somebody; open interest is what accounts hold."""
    floor = exchange.floor
    for coin in START_PX:
        dex = floor.listing(coin).dex
        held = [account.clearing(dex).szi(coin) for account in floor.accounts.values()]
        assert sum(held, ZERO) + floor.outside_sz.get(coin, ZERO) == 0
        tally = floor.tallies[coin]
        assert tally.long_sz == sum((szi for szi in held if szi > 0), ZERO)
        assert tally.short_sz == -sum((szi for szi in held if szi < 0), ZERO)


def check_holds(exchange: Exchange) -> None:
    """What resting orders hold is their notional, a side, and no more."""
    for account in exchange.floor.accounts.values():
        held: defaultdict[tuple[str, Side], Decimal] = defaultdict(Decimal)
        for oid, record in account.open.items():
            armed = oid in exchange.floor.triggers.get(record.coin, {})
            if not record.order.reduce_only and not armed:
                held[record.coin, record.order.side] += record.order.px * record.order.sz
        for clearing in account.clearings.values():
            for coin, hold in clearing.holds.items():
                assert hold.bid_usd == held[coin, Side.BID]
                assert hold.ask_usd == held[coin, Side.ASK]


def check_answers(run: Run) -> None:
    """Equity as everybody is told it: the same sum, and each account's own identities."""
    exchange, told = run.exchange, defaultdict[str, Decimal](Decimal)
    floor = exchange.floor
    for address in floor.accounts:
        for dex in exchange.universe.dexes:
            state: Any = exchange.info(
                {"type": "clearinghouseState", "user": address, "dex": dex.name}, run.now_ms
            )
            told[dex.name] += check_state(state)
    for dex in exchange.universe.dexes:
        others = floor.outside_usd[dex.name] + sum(
            (
                floor.outside_sz.get(c, ZERO) * floor.mark_px(c)
                for c in exchange.universe.coins(dex.name)
            ),
            ZERO,
        )
        cash = sum(
            (
                a.clearing(dex.name).raw_usd
                + sum((p.raw_usd for p in a.clearing(dex.name).positions.values()), ZERO)
                for a in floor.accounts.values()
            ),
            ZERO,
        )
        assert told[dex.name] + others == cash + floor.outside_usd[dex.name]


def check_state(state: Any) -> Decimal:
    """The identities of one answer; its account value."""
    cross, whole = state["crossMarginSummary"], state["marginSummary"]
    value, isolated = Decimal(whole["totalRawUsd"]), ZERO
    for row in state["assetPositions"]:
        position = row["position"]
        signed = Decimal(position["positionValue"])
        signed = signed if Decimal(position["szi"]) > 0 else -signed
        value += signed
        if position["leverage"]["type"] == "isolated":
            isolated += Decimal(position["leverage"]["rawUsd"]) + signed
    assert Decimal(whole["accountValue"]) == value
    assert Decimal(whole["accountValue"]) == Decimal(cross["accountValue"]) + isolated
    assert Decimal(state["withdrawable"]) >= 0
    return value


@given(seed=st.integers(0, 2**32), length=st.integers(0, 300))
@settings(max_examples=40, deadline=None)
@example(seed=3, length=4_000)
@example(seed=8, length=4_000)
def test_money_only_moves(seed: int, length: int) -> None:
    run = Run(seed)
    for number in range(length):
        run.step()
        check_cash(run.exchange)
        check_positions(run.exchange)
        if number % 10 == 0:
            check_holds(run.exchange)
        if number % 50 == 0:
            check_answers(run)
    state = run.exchange.snapshot()
    twin = Exchange(default_universe(), rules=RULES)
    twin.restore(state)
    assert twin.snapshot() == state
    check_cash(twin)


def test_the_random_days_do_all_that_moves_money() -> None:
    run = Run(3)
    for _ in range(2_000):
        run.step()
    for name in (
        "FillRow", "FillRowmarket", "FillRowbackstop", "FillRowAuto-Deleveraging", "FundingRow",
        "LedgerRow", "liquidation", "Answeredok", "Answerederr", "NonUserCancel",
    ):  # fmt: skip
        assert run.seen.get(name, 0) >= 2, (name, run.seen)
