"""Back-off and budget of an agent's restarts."""

from fleet.supervisor.attempts import (
    BACK_OFF_MAX_MS,
    BUDGET,
    HEALTHY_MS,
    UNHEARD,
    WINDOW_MS,
    Attempts,
    Departure,
)

T0 = 1_000_000


def crashed(times: int) -> Attempts:
    attempts = Attempts()
    for n in range(times):
        attempts = attempts.started(T0 + n).ended(None, T0 + n)
    return attempts


def test_the_first_end_costs_no_wait_and_later_ones_ever_more() -> None:
    waits = [crashed(n).due_ms() - (T0 + n - 1) for n in range(2, 9)]
    assert crashed(1).due_ms() == 0
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, BACK_OFF_MAX_MS, BACK_OFF_MAX_MS]


def test_the_budget_is_spent_by_faults_and_comes_back_with_time() -> None:
    assert not crashed(BUDGET - 1).spent(T0)
    assert crashed(BUDGET).spent(T0 + 10)
    assert not crashed(BUDGET).spent(T0 + WINDOW_MS + BUDGET)


def test_a_lost_lease_is_no_fault_but_costs_patience() -> None:
    attempts = Attempts()
    for n in range(BUDGET + 1):
        now_ms = T0 + 100_000 * n
        word = Departure(code=75, reason="refused: unready", at_ms=now_ms, pid=1)
        attempts = attempts.started(now_ms).ended(word, now_ms)
    assert not attempts.spent(T0)
    assert attempts.due_ms() > T0
    assert attempts.cause == "refused: unready"


def test_the_last_word_of_an_earlier_agent_is_not_this_ones() -> None:
    stale = Departure(code=75, reason="revoked", at_ms=T0 - 1, pid=1)
    attempts = Attempts().started(T0).ended(stale, T0 + 5)
    assert attempts.cause == UNHEARD
    assert attempts.faults_ms == (T0 + 5,)


def test_a_minute_of_health_forgets_the_back_off() -> None:
    attempts = crashed(4).started(T0)
    assert attempts.owned(T0 + HEALTHY_MS - 1).retries == 5
    assert attempts.owned(T0 + HEALTHY_MS).retries == 0


def test_what_we_stop_ourselves_may_start_at_once() -> None:
    stopped = crashed(3).started(T0).stopped(T0 + 9)
    assert stopped.due_ms() == 0
    assert len(stopped.faults_ms) == 3
