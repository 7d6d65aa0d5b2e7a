"""The venue's switch: pushed on in time, never claimed beyond what the venue confirmed."""

from hypothesis import given
from hypothesis import strategies as st

from agents.exchange.wire import ScheduleCancelAction
from fleet.gateway.core.deadman import AGAIN_MS, DAY_MS, LEAD_MS, REFRESH_MS, DeadMan

GATE = (
    "Cannot set scheduled cancel time until enough volume traded. "
    "Required: $1000000. Traded: $12066.75."
)


def step(
    switch: DeadMan, now_ms: int, why_not: str = "", volume_usd: float | None = 2e6
) -> ScheduleCancelAction | None:
    return switch.step(why_not=why_not, volume_usd=volume_usd, venue_ms=now_ms, now_ms=now_ms)


def test_it_is_armed_and_pushed_on() -> None:
    switch = DeadMan()
    assert step(switch, 0) == ScheduleCancelAction(time=LEAD_MS)
    assert switch.view(0).state == "off", "not before the venue said so"
    switch.accepted()
    assert switch.view(0).state == "armed"
    assert step(switch, REFRESH_MS - 1) is None
    assert step(switch, REFRESH_MS) == ScheduleCancelAction(time=REFRESH_MS + LEAD_MS)


@given(st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from("aru-")), max_size=60))
def test_what_is_claimed_is_what_the_venue_confirmed(steps: list[tuple[int, str]]) -> None:
    switch, now_ms, armed_until_ms = DeadMan(), 0, 0
    asked: ScheduleCancelAction | None = None
    for passed_ms, outcome in steps:
        now_ms += passed_ms
        sent = step(switch, now_ms, why_not="nothing is quoted" if outcome == "-" else "")
        asked = sent or asked
        if asked is not None and outcome == "a":
            switch.accepted()
            armed_until_ms, asked = asked.time or 0, None
        elif asked is not None and outcome == "r":
            switch.refused("Internal error", now_ms)
            asked = None
        elif asked is not None and outcome == "u":
            switch.unanswered(now_ms)
            asked = None
        assert (switch.view(now_ms).state == "armed") == (now_ms < armed_until_ms)


@given(st.integers(0, 10_000_000), st.integers(0, 40_000))
def test_while_its_answers_come_it_never_goes_off(start_ms: int, every_ms: int) -> None:
    switch, now_ms, until_ms = DeadMan(), start_ms, None
    for _ in range(50):
        sent = step(switch, now_ms)
        if sent is not None:
            assert sent.time is not None
            assert sent.time >= now_ms + 5_000, "the venue asks for five seconds"
            switch.accepted()
            until_ms = sent.time
        assert until_ms is None or now_ms < until_ms
        now_ms += min(every_ms, LEAD_MS - REFRESH_MS - 1)


def test_an_account_below_the_gate_is_not_asked_about_again_until_it_has_traded_enough() -> None:
    switch = DeadMan()
    assert step(switch, 0, volume_usd=12_066.75) is not None
    switch.refused(GATE, 100)
    view = switch.view(100)
    assert (view.state, view.reason) == ("ineligible", GATE)
    assert step(switch, 10 * AGAIN_MS, volume_usd=999_999.0) is None
    assert step(switch, 10 * AGAIN_MS, volume_usd=1_000_000.0) is not None


def test_after_ten_times_it_is_off_until_the_next_day() -> None:
    switch = DeadMan()
    assert step(switch, 1_000) is not None
    switch.refused("Too many scheduled cancels triggered for the day. Limit is 10", 1_000)
    assert switch.view(1_000).state == "off"
    assert step(switch, DAY_MS - 1) is None
    assert step(switch, DAY_MS) is not None


def test_it_is_cleared_when_nothing_is_quoted() -> None:
    switch = DeadMan()
    step(switch, 0)
    switch.accepted()
    assert step(switch, REFRESH_MS, "nothing is quoted") == ScheduleCancelAction(time=None)
    switch.accepted()
    view = switch.view(REFRESH_MS)
    assert (view.state, view.reason) == ("off", "nothing is quoted")
    assert step(switch, 2 * REFRESH_MS, "nothing is quoted") is None


def test_nothing_is_tried_before_the_account_is_known() -> None:
    assert step(DeadMan(), 0, volume_usd=None) is None
