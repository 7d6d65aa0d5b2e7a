"""``/info`` about fills: the newest, those of a range of time, and partial fills merged."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from agents.sim import rows
from agents.sim.accounts import Account

FILLS_MAX: Final = 2_000
_FIGURES: Final = Decimal("1e-12")
_SUMS: Final = ("sz", "closedPnl", "fee", "builderFee")


def user_fills(account: Account, *, aggregated: bool) -> list[rows.Row]:
    """Newest first. ``aggregated``: what one crossing order got in one block is one row."""
    found = list(merged(account.fills)) if aggregated else list(account.fills)
    return found[::-1][:FILLS_MAX]


def user_fills_by_time(
    account: Account, start_ms: int, end_ms: int | None, *, newest_first: bool, aggregated: bool
) -> list[rows.Row]:
    """Ascending unless asked otherwise; both ends included."""
    chosen: list[rows.Row] = []
    found: Iterable[rows.Row] = merged(account.fills) if aggregated else account.fills
    if newest_first:
        found = reversed(list(found))
    for row in found:
        time_ms = row["time"]
        assert isinstance(time_ms, int)
        if start_ms <= time_ms and (end_ms is None or time_ms <= end_ms):
            chosen.append(row)
            if len(chosen) == FILLS_MAX:
                break
    return chosen


def merged(fills: Iterable[rows.Row]) -> Iterator[rows.Row]:
    """The fills in their order, adjacent ones of one crossing order and one block as one row.

    Size, fee and profit add up, the price is their average; all else is the first one's.
    """
    group: list[rows.Row] = []
    for row in fills:
        if group and _key(group[0]) != _key(row):
            yield _one(group)
            group = []
        group.append(row)
    if group:
        yield _one(group)


def _key(row: rows.Row) -> tuple[object, ...]:
    """Resting orders' fills are never merged: their trade ids tell them apart."""
    return row["time"], row["oid"], row["crossed"], None if row["crossed"] else row["tid"]


def _one(group: list[rows.Row]) -> rows.Row:
    if len(group) == 1:
        return group[0]
    sz = _total(group, "sz")
    paid_usd = sum((_decimal(row, "px") * _decimal(row, "sz") for row in group), Decimal(0))
    px = (paid_usd / sz).quantize(_FIGURES)
    sums = {name: rows.number(_total(group, name)) for name in _SUMS if name in group[0]}
    return group[0] | {"px": rows.number(px)} | sums


def _total(group: list[rows.Row], name: str) -> Decimal:
    return sum((_decimal(row, name) for row in group), Decimal(0))


def _decimal(row: rows.Row, name: str) -> Decimal:
    return Decimal(str(row[name]))
