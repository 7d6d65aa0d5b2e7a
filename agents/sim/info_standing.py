"""``/info`` about what an account is and was: spot balances, sub-accounts, its ledger."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from agents.sim import rows
from agents.sim.accounts import Account
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.info_accounts import clearing_state
from agents.sim.universe import TOKEN_INDEX
from agents.sim.volumes import DAY_MS
from agents.sim.worth import since, worth_now

ROWS_MAX: Final = 500
PERIODS: Final[Mapping[str, int | None]] = {"day": 1, "week": 7, "month": 30, "allTime": None}


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
    """Worth, profit and volume, of the last day, week and month and of all time."""
    now = worth_now(floor, account, now_ms)
    found: list[list[object]] = []
    for perp in (False, True):
        for period, days in PERIODS.items():
            start_ms = 0 if days is None else now_ms - days * DAY_MS
            samples = since(account, start_ms, now)
            worth = [(each.time_ms, each.perp_usd if perp else each.usd) for each in samples]
            profit = [(e.time_ms, e.perp_pnl_usd if perp else e.pnl_usd) for e in samples]
            data = {
                "accountValueHistory": [[ms, rows.micro(usd)] for ms, usd in worth],
                "pnlHistory": [[ms, rows.micro(usd)] for ms, usd in profit],
                "vlm": rows.micro(_volume_usd(account, now_ms, days)),
            }
            name = "perp" + period[0].upper() + period[1:] if perp else period
            found.append([name, data])
    return found


def _volume_usd(account: Account, now_ms: int, days: int | None) -> Decimal:
    """Of the days that lie in the period, the one under way included."""
    if days is None:
        return account.volume_usd
    first = now_ms // DAY_MS - days + 1
    dailies = (daily for day, daily in account.daily.items() if day >= first)
    return sum((daily.cross_usd + daily.add_usd for daily in dailies), ZERO)
