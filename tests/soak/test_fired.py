"""Every monitor of a running fleet, fired by what the venue does; what counts is what then rests.

One fleet, nine markets, one monitor after the other: prices that move, books that are swept, an
oracle that stands still, fills that nobody was told of, answers that come late or not at all, and
the account's key in another hand. ``runaway`` alone is not here: it is an engine whose own orders
are too many, which nothing outside can bring about (``tests/simulation/test_monitors.py``).
"""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.hand import Hand
from tests.soak.rig import Rig

MANIFEST = "tests/soak/fired.yaml"
BTC, ETH, SOL, XRP, DOGE, AVAX = "BTC", "ETH", "SOL", "XRP", "DOGE", "AVAX"
NVDA, TENCENT, US500 = "xyz:NVDA", "km:TENCENT", "km:US500"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", MANIFEST, "--yes", "--wait", "170")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Hand(Rig(Fleet(cli, "fired"), MANIFEST))
    finally:
        cli.run("--fleet", "fired", "down")


@pytest.fixture
def hand(running: Hand) -> Iterator[Hand]:
    running.quotes()
    yield running
    running.rig.faults()


def closed(hand: Hand, market: str) -> None:
    """What was taken by hand is given back, and a person lets the market go on."""
    held_usd = hand.held(market) * (hand.view(market).bid_px or 0.0)
    if abs(held_usd) > 20.0:
        hand.trade(market, -held_usd)
    time.sleep(6.0)  # foreign fills within five seconds are a leap
    hand.open(market)
    hand.quotes(market)


def took(hand: Hand) -> list[str]:
    return [market for market in hand.rig.markets if hand.spoken(market)[0] == "maker"]


def test_silence_warns_pulls_and_kills_at_its_times_and_lifts_itself(hand: Hand) -> None:
    hand.rig.faults(stale_feed=[BTC])
    began_s, told = time.monotonic(), dict[str, float]()
    while "kill" not in told and time.monotonic() - began_s < 45.0:
        mode = hand.spoken(BTC)[1]
        if mode:
            told.setdefault(mode, time.monotonic() - began_s)
        if mode == "pull":
            wait_for("nothing of BTC to rest", lambda: not hand.sides(BTC), 5.0)
        time.sleep(0.1)
    print(f"\n{told}")  # noqa: T201
    assert told["pull"] < 6.0
    assert 28.0 < told["kill"] < 35.0
    hand.killed(BTC, "data", within_s=5.0)
    assert hand.sides(ETH) == {"A", "B"}
    hand.rig.faults()
    hand.quotes(BTC, within_s=30.0)
    assert hand.row(BTC)["ramp_share"] == 1.0, "nothing went wrong here"


def test_a_crossed_book_pulls(hand: Hand) -> None:
    hand.rig.faults(crossed_feed=[BTC])
    hand.heard(BTC, "link", "pull", within_s=15.0)  # the gateway saw it first
    wait_for("nothing of BTC to rest", lambda: not hand.sides(BTC), 5.0)
    assert hand.sides(ETH) == {"A", "B"}
    hand.rig.faults()
    hand.quotes(BTC)


def test_a_leap_of_the_price_pulls_and_a_larger_one_kills_and_passes(hand: Hand) -> None:
    hand.jump(BTC, 0.02)
    hand.heard(BTC, "price", "pull", within_s=10.0)
    hand.quotes(BTC)
    hand.jump(BTC, -0.08)
    hand.killed(BTC, "price", within_s=10.0)
    hand.quotes(BTC, within_s=60.0)
    assert hand.row(BTC)["ramp_share"] < 1.0


def test_slow_answers_widen(hand: Hand) -> None:
    hand.rig.faults(delay_answers_s=2.0)
    hand.heard(BTC, "venue", "widen", "pull")
    hand.rig.faults()
    hand.quotes(BTC, within_s=120.0)


def test_rate_limits_pull_or_kill_and_pass(hand: Hand) -> None:
    hand.rig.faults(status_burst={"code": 429, "s": 15.0})
    wait_for(
        "a market to be limited",
        lambda: any(hand.spoken(m)[0] == "rate" or "by rate" in hand.killed_by(m)
                    for m in hand.rig.markets),
        60.0,
    )  # fmt: skip
    hand.rig.faults()
    hand.quotes(within_s=150.0)


def test_a_days_loss_kills_until_a_person_looks(hand: Hand) -> None:
    hand.trade(ETH, 380.0)
    for _ in range(8):
        hand.walk(ETH, -0.007)
        if hand.killed_by(ETH):
            break
    hand.killed(ETH, "loss")
    assert hand.held(ETH) > 0
    hand.open(ETH)
    hand.killed(ETH, "loss")  # it stands
    for _ in range(10):
        hand.walk(ETH, 0.007)
    closed(hand, ETH)


def test_a_fall_from_the_peak_kills(hand: Hand) -> None:
    hand.trade(SOL, 380.0)
    for _ in range(8):
        hand.walk(SOL, -0.007)
        if hand.killed_by(SOL):
            break
    hand.killed(SOL, "drawdown")
    for _ in range(10):
        hand.walk(SOL, 0.007)
    closed(hand, SOL)


def test_a_position_that_grows_is_only_reduced_and_one_too_large_kills(hand: Hand) -> None:
    seen = set()
    for _ in range(12):
        hand.trade(XRP, 105.0)
        time.sleep(5.6)
        seen.add(hand.spoken(XRP))
        if ("growth", "pull") in seen and hand.spoken(XRP)[1] == "pull":
            assert "B" not in hand.sides(XRP)
        if hand.killed_by(XRP):
            break
    print(f"\n{sorted(seen)}")  # noqa: T201
    assert ("growth", "pull") in seen
    hand.killed(XRP, "position")
    closed(hand, XRP)


def test_a_position_that_leaps_is_taken_for_a_liquidation(hand: Hand) -> None:
    hand.trade(XRP, 200.0)
    hand.killed(XRP, "liquidated", within_s=15.0)
    closed(hand, XRP)


def test_inventory_that_nothing_reduces_kills(hand: Hand) -> None:
    hand.trade(AVAX, 380.0)
    hand.rig.faults(hold_placements_s=60.0)
    hand.killed(AVAX, "stuck", within_s=120.0)
    hand.rig.faults()
    closed(hand, AVAX)


def test_an_oracle_that_stands_still_leaves_only_what_reduces(hand: Hand) -> None:
    hand.trade(NVDA, 380.0)
    hand.rig.faults(still_oracle=[NVDA])
    for _ in range(4):
        hand.walk(NVDA, 0.007)
        if hand.spoken(NVDA)[0] == "oracle":
            break
    hand.heard(NVDA, "oracle", "reduce only")
    wait_for("nothing that adds", lambda: "B" not in hand.sides(NVDA), 5.0)
    hand.rig.faults()
    hand.quotes(NVDA)


def test_near_its_liquidation_it_is_topped_up_then_reduced_then_closed(hand: Hand) -> None:
    hand.trade(TENCENT, 190.0)
    time.sleep(6.0)
    hand.trade(TENCENT, 190.0)
    hand.heard(TENCENT, "liquidation", "warn", "reduce only")
    raw = hand.view(TENCENT).isolated_raw
    assert raw is not None
    seen, topped = set(), False
    for _ in range(30):
        hand.walk(TENCENT, -0.007)
        seen.add(hand.spoken(TENCENT))
        now = hand.view(TENCENT).isolated_raw
        topped = topped or (now is not None and now > raw + 1)
        if hand.killed_by(TENCENT):
            break
    print(f"\n{sorted(seen)}, topped up: {topped}")  # noqa: T201
    assert topped
    hand.killed(TENCENT, "liquidation")
    wait_for("the caretaker to close it", lambda: hand.held(TENCENT) == 0.0, 60.0)
    closed(hand, TENCENT)


def test_a_liquidation_is_told_and_kills(hand: Hand) -> None:
    hand.trade(US500, 190.0)
    time.sleep(6.0)
    hand.jump(US500, -0.08)
    hand.killed(US500, "liquidated", within_s=60.0)
    closed(hand, US500)


def test_fills_that_nobody_was_told_of_are_a_drift_that_reduces_and_then_kills(hand: Hand) -> None:
    hand.rig.faults(hide_fills=True)
    hand.trade(DOGE, 200.0)
    hand.heard(DOGE, "drift", "reduce only", within_s=20.0)
    wait_for("nothing that adds", lambda: "B" not in hand.sides(DOGE), 5.0)
    hand.heard(DOGE, "drift", "kill", within_s=45.0)
    wait_for("nothing of DOGE to rest", lambda: not hand.sides(DOGE), 5.0)
    wait_for("an alert", lambda: "drift" in hand.alerts(DOGE), 15.0)
    hand.rig.faults()
    for market in hand.rig.markets:
        if hand.killed_by(market):
            closed(hand, market)
    hand.quotes(DOGE, within_s=60.0)


def test_a_quote_that_took_leaves_only_what_reduces_until_a_person_looks(hand: Hand) -> None:
    hand.rig.faults(taker_fills=True)
    wait_for("one to be told as a taker", lambda: bool(took(hand)), 120.0)
    hand.rig.faults()
    market = took(hand)[0]
    time.sleep(3.0)
    held, sides = hand.held(market), hand.sides(market)
    assert sides <= ({"A"} if held > 0 else {"B"} if held < 0 else set())
    hand.open(market)
    hand.quotes(market)


def test_forced_flow_is_stood_back_from(hand: Hand) -> None:
    """Against what is usual, of which a burst is itself a part: so it takes minutes of watching."""
    time.sleep(max(0.0, 400.0 - (time.monotonic() - hand.began_s)))
    seen = set()
    hand.sweep(BTC, "sell", 100_000_000.0)
    hand.jump(BTC, -0.004)
    for _ in range(40):
        time.sleep(0.1)
        seen.add(hand.spoken(BTC))
    print(f"\n{sorted(seen)}")  # noqa: T201
    assert {mode for monitor, mode in seen if monitor == "cascade"} & {"widen", "pull"}
    hand.quotes(BTC)


def test_a_resume_looks_at_positions_first_and_then_ramps_from_a_quarter(hand: Hand) -> None:
    fleet = hand.rig.fleet
    done = fleet.cli.run("--fleet", fleet.name, "halt", "--reason", "a look")
    assert done.returncode == 0, done.stdout + done.stderr
    hand.rig.faults(hide_fills=True)
    hand.trade(DOGE, 100.0)
    wait_for("the drift to be seen", lambda: hand.row(DOGE)["drift"] is not None, 30.0)
    refused = fleet.cli.run("--fleet", fleet.name, "resume", "--reason", "too soon")
    assert refused.returncode == 5, refused.stdout + refused.stderr
    assert DOGE in refused.stderr
    assert hand.rig.look()["halted"]
    assert not hand.rig.resting()

    hand.rig.faults()

    def lifted() -> bool:
        done = fleet.cli.run("--fleet", fleet.name, "resume", "--reason", "looked at it")
        return done.returncode == 0

    wait_for("the resume", lifted, within_s=60.0)
    hand.quotes(BTC, within_s=60.0)
    assert 0.25 <= hand.row(BTC)["ramp_share"] < 1.0
    hand.quotes()
