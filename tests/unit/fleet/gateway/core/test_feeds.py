"""What makes a market's data stale, and what does not."""

import pytest

from fleet.gateway.core.feeds import LEAST_MS, MOST_MS, PERIODS, Feeds


def ticking(*, coin: str = "BTC", period_ms: int = 500, frames: int = PERIODS + 5) -> Feeds:
    """The clocked stream, up to time 0."""
    feeds = Feeds()
    for at_ms in range(-period_ms * (frames - 1), 1, 100):
        feeds.look(at_ms)
        if at_ms % period_ms == 0:
            feeds.clocked(coin, at_ms)
            feeds.told(coin, "l2Book", at_ms, 99.0, 101.0)
    return feeds


def why(feeds: Feeds, at_ms: int, coin: str = "BTC") -> str | None:
    """As the gateway does: it looks several times a second."""
    for now_ms in range(0, at_ms, 200):
        feeds.look(now_ms)
    feeds.look(at_ms)
    return feeds.why(coin, at_ms)


def test_silence_of_the_clocked_stream_counts_from_three_periods_on() -> None:
    assert why(ticking(period_ms=1_000), 3_000) is None
    assert why(ticking(period_ms=1_000), 3_001) == "no book for 3.0 s"
    assert why(ticking(period_ms=500), LEAST_MS) is None, "a hiccup is no silence"
    assert why(ticking(period_ms=500), LEAST_MS + 1) is not None
    assert why(ticking(period_ms=20_000), MOST_MS + 1) is not None


def test_a_quiet_market_whose_touch_never_changes_is_fresh() -> None:
    feeds = ticking()
    feeds.told("BTC", "bbo", 0, 99.0, 101.0)
    for at_ms in range(0, 600_000, 500):
        feeds.look(at_ms)
        feeds.clocked("BTC", at_ms)
        assert feeds.why("BTC", at_ms) is None


def test_an_outage_does_not_pass_for_a_slow_stream() -> None:
    feeds = ticking(period_ms=1_000)
    assert why(feeds, 20_000) is not None
    feeds.clocked("BTC", 20_000)
    assert feeds.why("BTC", 20_000) is None
    for at_ms in range(20_000, 23_001, 200):
        feeds.look(at_ms)
    assert feeds.why("BTC", 23_001) is not None


def test_what_we_did_not_read_ourselves_is_no_silence() -> None:
    feeds = ticking()
    feeds.look(0)
    feeds.look(4_000)
    assert feeds.why("BTC", 4_000) is None


@pytest.mark.parametrize(
    ("venue_ms", "bid_px", "ask_px", "word"),
    [(-1, 99.0, 101.0, "back in time"), (1, 101.0, 101.0, "crossed"), (1, 102.0, 101.0, "crossed")],
)
def test_a_crossed_touch_and_a_clock_that_goes_back_are_wrong_until_a_good_frame(
    venue_ms: int, bid_px: float, ask_px: float, word: str
) -> None:
    feeds = ticking()
    feeds.told("BTC", "bbo", 0, 99.0, 101.0)
    feeds.told("BTC", "bbo", venue_ms, bid_px, ask_px)
    told = feeds.why("BTC", 0)
    assert told is not None
    assert word in told
    feeds.told("BTC", "bbo", 2, None, 101.0)
    assert feeds.why("BTC", 0) is None


def test_a_connection_that_is_down_is_a_gap_of_its_own_markets_alone() -> None:
    feeds = Feeds()
    feeds.shards = 2
    coins = ["BTC", "ETH", "SOL", "hyna:BTC", "xyz:NVDA", "DOGE", "AAVE", "kPEPE"]
    assert {feeds.shard(coin) for coin in coins} == {0, 1}
    feeds.down[1] = 0
    assert all((feeds.why(coin, 0) is None) == (feeds.shard(coin) == 0) for coin in coins)


def test_a_coin_that_the_venue_refuses_says_so_until_it_is_forgotten() -> None:
    feeds = ticking()
    feeds.refused["BTC"] = "the venue refuses its market data"
    assert feeds.why("BTC", 0) == "the venue refuses its market data"
    feeds.forget("BTC")
    assert feeds.why("BTC", 0) is None
