"""Every connection is cut, at random, again and again: no fill is lost or booked twice.

``CUT_MINUTES`` (10), on five markets of four DEXs that trade more than life.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.under_test import wait_for
from tests.soak.crowd import Crowd, crowd
from tests.soak.forty import say

MINUTES = float(os.environ.get("CUT_MINUTES", "10"))
MARKETS = ("BTC", "ETH", "xyz:XYZ100", "hyna:BTC", "km:US500")
RECOVERY_MAX_S = 3.0
FILLS_MIN = 5
"""A minute, so that the comparison is of something."""


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Crowd]:
    with crowd(tmp_path, flow="lively", markets=MARKETS) as made:
        wait_for("all quote", lambda: made.quoting() == len(MARKETS), 300, every_s=1.0)
        yield made


def test_cut_at_random_the_ledger_is_the_venues_and_all_is_back_soon(few: Crowd) -> None:
    rng = random.Random(11)
    back: list[float] = []
    until_s = time.monotonic() + MINUTES * 60
    while time.monotonic() < until_s:
        time.sleep(rng.uniform(6.0, 20.0))
        few.ask("/admin/faults", {"cut_connections": True})
        began_s = time.monotonic()
        wait_for("the link is lost", lambda: not whole(few), 5, every_s=0.02)
        wait_for("the link is back", lambda: whole(few), 60, every_s=0.02)
        back.append(time.monotonic() - began_s)
    ordered = sorted(back)
    say(f"\n{len(back)} cuts in {MINUTES:g} min: link and feeds back after")
    say(f"p50 {ordered[len(back) // 2]:.2f} s, worst {ordered[-1]:.2f} s")
    wait_for("ledger = venue", lambda: not few.book_faults(), 30, every_s=2.0)
    say(f"{few.booked()} fills, ledger = venue")
    assert few.booked() >= FILLS_MIN * MINUTES
    assert few.ask("/admin/stats")["turned_away"] == 0
    assert ordered[-1] <= RECOVERY_MAX_S


def whole(few: Crowd) -> bool:
    seen = few.status()
    return seen is not None and seen.link == "up" and not any(m.stale for m in seen.markets)
