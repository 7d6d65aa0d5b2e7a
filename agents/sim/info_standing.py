"""``/info`` about what an account is and was: spot balances, sub-accounts, its ledger."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from agents.sim import rows
from agents.sim.accounts import Account
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.info_accounts import clearing_state
from agents.sim.universe import TOKEN_INDEX

ROWS_MAX: Final = 500
PERIODS: Final = ("day", "week", "month", "allTime")


def spot_state(account: Account) -> rows.Row:
    """``spotClearinghouseState``: the tokens it has ever held; nothing is ever on hold."""
    held = {token: total for token, total in account.spot.items() if total}
    balances = [
        {
            "coin": token,
            "token": TOKEN_INDEX[token],
            "total": rows.number(total),
            "hold": "0.0",
            "entryNtl": "0.0",
        }
        for token, total in held.items()
    ]
    available = [[TOKEN_INDEX[token], rows.number(total)] for token, total in held.items()]
    return {"balances": balances, "tokenToAvailableAfterMaintenance": available}


def sub_accounts(
    floor: Floor, account: Account, now_ms: int, *, every_dex: bool
) -> list[rows.Row] | None:
    """Null where there are none. ``every_dex``: the second version of the question."""
    if not account.subs:
        return None
    found = []
    for address in account.subs:
        sub = floor.accounts[address]
        row: rows.Row = {"name": sub.name, "subAccountUser": address, "master": account.address}
        if every_dex:
            row["dexToClearinghouseState"] = [
                [dex.name, clearing_state(floor, sub.clearing(dex.name), now_ms)]
                for dex in floor.universe.dexes
            ]
        else:
            row["clearinghouseState"] = clearing_state(floor, sub.clearing(""), now_ms)
        found.append(row | {"spotState": spot_state(sub)})
    return found


def in_range(
    history: Iterable[rows.Row], start_ms: int, end_ms: int | None, most: int = ROWS_MAX
) -> list[rows.Row]:
    """The first rows of a range, both ends included; the next page begins after the last."""
    chosen: list[rows.Row] = []
    for row in history:
        time_ms = row["time"]
        assert isinstance(time_ms, int)
        if start_ms <= time_ms and (end_ms is None or time_ms <= end_ms):
            chosen.append(row)
            if len(chosen) == most:
                break
    return chosen


def portfolio(floor: Floor, account: Account, now_ms: int) -> list[list[object]]:
    """What it is worth now; no history of it is kept."""
    usd = sum((whole_usd(floor, account, dex.name) for dex in floor.universe.dexes), ZERO)
    spot_usd = sum(account.spot.values(), ZERO)
    found: list[list[object]] = []
    for prefix, value in (("", usd + spot_usd), ("perp", usd)):
        for period in PERIODS:
            name = prefix + period[0].upper() + period[1:] if prefix else period
            data = {
                "accountValueHistory": [[now_ms, rows.micro(value)]],
                "pnlHistory": [[now_ms, "0.0"]],
                "vlm": rows.micro(account.volume_usd),
            }
            found.append([name, data])
    return found


def whole_usd(floor: Floor, account: Account, dex: str) -> Decimal:
    """Balance, isolated margin and positions at their marks, of one DEX."""
    clearing = account.clearing(dex)
    value = clearing.raw_usd
    for coin, position in clearing.positions.items():
        value += position.raw_usd + position.szi * floor.mark_px(coin)
    return value
