"""Events of accounts: all of a block that one channel tells one user, as one frame's data."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from agents.sim.outputs import (
    FillRow,
    FundingRow,
    LedgerRow,
    LiquidationRow,
    NonUserCancel,
    OrderRow,
    Output,
)
from agents.sim.rows import history_row
from fleet.venue.subscriptions import Json, Key

Rows = defaultdict[str, list[Json]]


def of_users(
    outputs: Sequence[Output], wanted: Callable[[Key], bool]
) -> Iterator[tuple[Key, object]]:
    """Orders first, then fills, cancels by the venue, liquidations, and what moved money.

    ``wanted`` spares the making of rows that cost something; what is not wanted may come anyway.
    """
    orders: defaultdict[str, list[OrderRow]] = defaultdict(list)
    fills, cancels, fundings, ledger = (Rows(list) for _ in range(4))
    liquidations: list[LiquidationRow] = []
    for output in outputs:
        match output:
            case OrderRow(user=user):
                orders[user].append(output)
            case FillRow(user=user, row=row):
                fills[user].append(row)
            case NonUserCancel(user=user, coin=coin, oid=oid):
                cancels[user].append({"coin": coin, "oid": oid})
            case FundingRow(user=user, row=row):
                fundings[user].append(row)
            case LedgerRow(user=user, row=row):
                ledger[user].append(row)
            case LiquidationRow():
                liquidations.append(output)
            case _:
                pass
    yield from _of_orders(orders, wanted)
    yield from _of_fills(fills)
    for user, found in cancels.items():
        yield Key("userEvents", user=user), {"nonUserCancel": found}
    for each in liquidations:
        yield Key("userEvents", user=each.user), {"liquidation": each.row}
    yield from _of_money(fundings, ledger)


def _of_orders(
    orders: dict[str, list[OrderRow]], wanted: Callable[[Key], bool]
) -> Iterator[tuple[Key, object]]:
    for user, found in orders.items():
        yield Key("orderUpdates", user=user), [each.row for each in found]
        key = Key("userHistoricalOrders", user=user)
        if wanted(key):
            yield key, {"user": user, "orderHistory": [history_row(each.event) for each in found]}


def _of_fills(fills: Rows) -> Iterator[tuple[Key, object]]:
    for user, found in fills.items():
        yield Key("userFills", user=user), {"user": user, "fills": found}
        yield Key("userEvents", user=user), {"fills": found}
        for row in found:
            if not row["crossed"]:
                yield Key("notification", user=user), _notification(row)


def _of_money(fundings: Rows, ledger: Rows) -> Iterator[tuple[Key, object]]:
    for user, found in fundings.items():
        yield Key("userFundings", user=user), {"user": user, "fundings": found}
        for row in found:
            yield Key("userEvents", user=user), {"funding": row}
    for user, found in ledger.items():
        key = Key("userNonFundingLedgerUpdates", user=user)
        yield key, {"user": user, "nonFundingLedgerUpdates": found}


def _notification(row: Json) -> Json:
    done = "Bought" if row["side"] == "B" else "Sold"
    coin = str(row["coin"])
    return {"notification": f"Resting order filled: {done} {row['sz']} {coin} at ${row['px']}"}
