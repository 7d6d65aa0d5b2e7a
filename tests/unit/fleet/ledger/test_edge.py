"""The sequential test: silent too early, rarely wrong however often it is asked, and it sees."""

import random

from fleet.ledger.edge import FILLS_MIN, Marked, judged


def fills(seed: int, count: int, mean_bps: float, sd_bps: float = 10.0) -> list[Marked]:
    """Five fills a minute that share half of their noise, 100 USD each."""
    rng = random.Random(seed)
    made = []
    for minute in range(count // 5):
        shared = rng.gauss(0.0, sd_bps)
        for place in range(5):
            edge_bps = mean_bps + shared + rng.gauss(0.0, sd_bps)
            made.append(Marked(minute * 60_000 + place, 100.0, edge_bps / 100.0))
    return made


def test_before_fifty_fills_it_says_nothing() -> None:
    few = judged(fills(1, FILLS_MIN - 5, -50.0))
    assert (few.finding, few.mean_bps) == ("few", None)
    assert few.text == "45 fills: too few to tell"


def test_a_market_without_an_edge_is_rarely_said_to_lose_however_often_one_asks() -> None:
    wrong = 0
    for seed in range(60):
        made = fills(seed, 1_000, 0.0)
        wrong += any(judged(made[:count]).finding == "loses" for count in range(100, 1_001, 100))
    assert wrong <= 4, "at most one in twenty, and chance"


def test_a_market_that_loses_is_found_and_one_that_earns_too() -> None:
    found = [judged(fills(seed, 4_000, -2.5)).finding for seed in range(10)]
    assert found.count("loses") == 10
    assert judged(fills(1, 4_000, 2.5)).finding == "earns"


def test_the_bounds_hold_the_mean_and_are_bps_of_the_notional() -> None:
    edge = judged(fills(5, 4_000, -2.0))
    assert edge.low_bps is not None
    assert edge.mean_bps is not None
    assert edge.high_bps is not None
    assert edge.low_bps < -2.0 < edge.high_bps
    assert abs(edge.mean_bps + 2.0) < 1.5
    assert (edge.fills, edge.minutes) == (4_000, 800)
