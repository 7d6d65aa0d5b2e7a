"""Who is told what when: once, again while it stands, once more when it is over."""

from fleet.alerts.conditions import Condition
from fleet.alerts.desk import EVENT_EVERY_MS, GONE_MS, Desk
from fleet.alerts.settings import AlertSettings

HALT = Condition("critical", "halt", "halted by ann: test")
REDUCING = Condition("warning", "reduce_only", "BTC only reduces", "BTC", hold_ms=15_000)
SETTINGS = AlertSettings(repeat_s=900.0)


def words(desk: Desk, found: list[Condition], now_ms: int, **fields: object) -> list[str]:
    settings = AlertSettings(**fields) if fields else SETTINGS  # type: ignore[arg-type]  # of its own fields
    return [f"{n.state} {n.event}" for n in desk.news(found, settings, now_ms)]


def test_what_stands_is_told_once_then_again_each_quarter_hour_then_over() -> None:
    desk = Desk()
    assert words(desk, [HALT], 1_000) == ["raised halt"]
    assert words(desk, [HALT], 2_000) == []
    assert words(desk, [HALT], 901_000) == ["still halt"]
    assert words(desk, [HALT], 902_000) == []
    assert words(desk, [], 903_000) == []
    assert words(desk, [], 903_000 + GONE_MS) == ["over halt"]
    assert words(desk, [], 999_000) == []


def test_what_flickers_is_one_alert() -> None:
    desk = Desk()
    assert words(desk, [HALT], 1_000) == ["raised halt"]
    for at_ms in range(2_000, 60_000, 4_000):
        assert words(desk, [], at_ms) == []
        assert words(desk, [HALT], at_ms + 2_000) == []


def test_a_short_reduction_is_no_news_and_a_long_one_is() -> None:
    desk = Desk()
    assert words(desk, [REDUCING], 0) == []
    assert words(desk, [REDUCING], 14_000) == []
    assert words(desk, [], 14_500) == []
    assert words(desk, [REDUCING], 15_000) == [], "it began anew"
    assert words(desk, [REDUCING], 30_000) == ["raised reduce_only"]


def test_what_grows_worse_is_told_at_once() -> None:
    desk = Desk()
    mild = Condition("warning", "risk_silent", "silent for 11 s")
    assert words(desk, [mild], 1) == ["raised risk_silent"]
    severe = Condition("critical", "risk_silent", "silent for 31 s")
    assert words(desk, [severe], 20_000) == ["raised risk_silent"]
    assert words(desk, [severe], 30_000) == []


def test_what_is_too_mild_stays_here_and_so_does_its_end() -> None:
    desk = Desk()
    long = Condition("warning", "edge", "BTC loses", "BTC")
    assert words(desk, [long, HALT], 1, severity_min="critical") == ["raised halt"]
    assert words(desk, [HALT], 9_000, severity_min="critical") == []


def test_two_markets_are_two_alerts() -> None:
    desk = Desk()
    both = [Condition("critical", "drift", f"{m}: apart", m) for m in ("BTC", "ETH")]
    assert words(desk, both, 1) == ["raised drift", "raised drift"]
    assert words(desk, both[1:], 2) == []
    assert words(desk, both[1:], 2 + GONE_MS) == ["over drift"]


def test_an_event_is_told_and_not_repeated_within_a_minute() -> None:
    desk = Desk()
    taken = Condition("critical", "taker", "BTC: a quote took", "BTC")
    assert [n.state for n in desk.event(taken, SETTINGS, 100_000)] == ["event"]
    assert desk.event(taken, SETTINGS, 100_000 + EVENT_EVERY_MS - 1) == []
    assert len(desk.event(taken, SETTINGS, 100_000 + EVENT_EVERY_MS)) == 1


def test_a_restart_tells_nothing_again() -> None:
    first = Desk()
    assert words(first, [HALT], 1_000) == ["raised halt"]
    again = Desk(first.standing)
    assert words(again, [HALT], 2_000) == []
    assert words(again, [], 3_000) == []
    assert words(again, [], 3_000 + GONE_MS) == ["over halt"]
