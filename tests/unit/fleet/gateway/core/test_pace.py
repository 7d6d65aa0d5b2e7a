"""A market that runs away is slowed; one that trades as markets do never notices."""

from fleet.gateway.core.pace import MINUTE_MS, ORDERS_BURST, ORDERS_PER_S, TURNS_MAX, Pace

LIMIT_USD = 1_000.0


def test_a_burst_passes_and_then_only_so_many_a_second() -> None:
    pace = Pace()
    assert sum(pace.sends(1, 1_000) for _ in range(1_000)) == ORDERS_BURST
    later = sum(pace.sends(1, 1_000 + 10 * at) for at in range(1, 1_001))
    assert later == ORDERS_PER_S * 10


def test_an_idle_market_saves_no_more_than_a_burst() -> None:
    pace = Pace()
    assert pace.sends(int(ORDERS_BURST), 0)
    assert not pace.sends(1, 0)
    assert sum(pace.sends(1, 10**9) for _ in range(1_000)) == ORDERS_BURST


def test_what_turns_over_too_fast_is_stopped_until_the_minute_has_passed() -> None:
    pace = Pace()
    for at in range(int(TURNS_MAX)):
        pace.traded(LIMIT_USD, at * 100)
    assert pace.runs_away(LIMIT_USD, 2_000) is None
    pace.traded(1.0, 2_000)
    told = pace.runs_away(LIMIT_USD, 2_000)
    assert told is not None
    assert "20001 USD" in told
    assert pace.runs_away(LIMIT_USD, 2_000 + MINUTE_MS + 1_000) is None
    assert pace.minute_usd(10**9) == 0.0


def test_a_busy_hour_takes_no_more_memory_than_a_busy_minute() -> None:
    pace = Pace()
    for at_ms in range(0, 3_600_000, 50):
        pace.traded(1.0, at_ms)
        pace.minute_usd(at_ms)
    assert len(pace._traded) <= MINUTE_MS // 1_000 + 1
