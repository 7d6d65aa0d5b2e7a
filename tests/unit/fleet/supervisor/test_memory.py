"""Between two rounds: whose end was our doing, and whose was not."""

from fleet.supervisor.attempts import UNHEARD, Departure
from fleet.supervisor.memory import Ended, Memory


def no_word(_market: str) -> Departure | None:
    return None


def test_an_end_that_we_did_not_ask_for_is_told_once() -> None:
    memory = Memory()
    memory.started("BTC", 1)
    assert memory.observe({"BTC"}, {"BTC"}, no_word, 2) == []
    (ended,) = memory.observe((), (), no_word, 3)
    assert isinstance(ended, Ended)
    assert memory.observe((), (), no_word, 4) == []
    assert memory.attempts("BTC").faults_ms == (3,)


def test_an_end_that_we_asked_for_is_no_news() -> None:
    memory = Memory()
    memory.started("BTC", 1)
    memory.stopping("BTC")
    assert memory.observe((), (), no_word, 2) == []
    assert memory.attempts("BTC").faults_ms == ()


def test_an_agent_that_we_end_for_a_fault_is_told_with_that_fault() -> None:
    memory = Memory()
    memory.started("BTC", 1)
    memory.blaming("BTC", "it held no lease for 60 s")
    (ended,) = memory.observe((), (), no_word, 2)
    assert ended.cause == "it held no lease for 60 s"
    memory.started("BTC", 3)
    (ended,) = memory.observe((), (), no_word, 4)
    assert ended.cause == UNHEARD, "an end later on is another matter"


def test_an_agent_that_dies_before_it_was_ever_seen_is_missed_all_the_same() -> None:
    memory = Memory()
    memory.started("BTC", 1)
    assert [e.market for e in memory.observe((), (), no_word, 2)] == ["BTC"]


def test_agents_of_an_earlier_supervisor_are_taken_over_as_they_are() -> None:
    memory = Memory()
    assert memory.observe({"BTC"}, {"BTC"}, no_word, 7) == []
    assert memory.attempts("BTC").started_ms == 7
    assert memory.attempts("BTC").due_ms() == 0


def test_an_operator_forgives_what_does_not_run() -> None:
    memory = Memory()
    memory.started("BTC", 1)
    memory.observe((), (), no_word, 2)
    memory.forgive("BTC")
    assert memory.attempts("BTC").faults_ms == ()
    memory.started("ETH", 3)
    memory.forgive("ETH")
    assert memory.attempts("ETH").started_ms == 3
