"""What the venue says of an account's fills, against what the ledger booked."""

import sqlite3
import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.soak.rig import FILLS_PAGE, Rig

_LAG_S = 15.0


def venue_fills(rig: Rig) -> list[dict[str, Any]]:
    """Every fill of the account, by the venue, each once."""
    since_ms, found = 0, {}
    while True:
        ask = {"type": "userFillsByTime", "user": rig.address, "startTime": since_ms}
        rows = rig.info(ask)
        found.update({(row["coin"], row["tid"], row["oid"]): row for row in rows})
        last_ms = max((row["time"] for row in rows), default=since_ms)
        if len(rows) < FILLS_PAGE or last_ms <= since_ms:
            return list(found.values())
        since_ms = last_ms


def fee_faults(rig: Rig) -> list[str]:
    """Markets whose fees or sizes, summed up, are not the venue's; waits while the ledger lags."""
    deadline_s = time.monotonic() + _LAG_S
    while (faults := _compare(rig)) and time.monotonic() < deadline_s:
        time.sleep(0.3)
    return faults


def _compare(rig: Rig) -> list[str]:
    told: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in venue_fills(rig):
        sums = told[row["coin"]]
        sums[0] += Decimal(row["fee"])
        sums[1] += Decimal(row["sz"])
    booked: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    database = sqlite3.connect(f"file:{rig.folder.ledger_db}?mode=ro", uri=True, timeout=5)
    try:
        for market, fee, sz in database.execute("SELECT market, fee, sz FROM fill"):
            booked[market][0] += Decimal(fee)
            booked[market][1] += Decimal(sz)
        totals = dict(database.execute("SELECT market, fees FROM book"))
    finally:
        database.close()
    faults = [
        f"{coin}: fees and sizes {booked[coin]} booked, {told[coin]} at the venue"
        for coin in told | booked
        if told[coin] != booked[coin]
    ]
    faults += [
        f"{coin}: fees {totals.get(coin)} in the book, {told[coin][0]} at the venue"
        for coin in told
        if Decimal(totals.get(coin, "0")) != told[coin][0]
    ]
    return faults
