"""Leases: one holder a market, generations that are never given twice, expiry by the clock."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agents.exchange.downstream import LEASE_MS
from fleet.gateway.core.lease import CONTINUE_MS, Durable, Leases

PROCESS = "0" * 16


def restarted(leases: Leases) -> Leases:
    """What a new gateway reads from the rows that were made durable."""
    raw = msgspec.json.encode(leases.rows)
    return Leases(msgspec.json.decode(raw, type=dict[str, Durable]))


@given(st.lists(st.sampled_from(["BTC", "ETH", "restart", "end"]), max_size=40))
def test_neither_generations_nor_numbers_are_ever_used_again(steps: list[str]) -> None:
    leases, given_out, numbers = Leases(), set[tuple[str, int]](), dict[str, int]()
    for now_ms, step in enumerate(steps):
        if step == "restart":
            leases = restarted(leases)
        elif step == "end":
            leases.end("BTC", 50)
        else:
            holder = leases.issue(step, PROCESS, 1, now_ms, now_ms)
            assert (step, holder.generation) not in given_out
            given_out.add((step, holder.generation))
            assert numbers.setdefault(step, leases.number(step)) == leases.number(step)
            assert leases.market_of(leases.number(step)) == step
    assert len(set(numbers.values())) == len(numbers)


def test_a_lease_lives_as_long_as_it_is_renewed() -> None:
    leases = Leases()
    held = leases.issue("BTC", PROCESS, 1, 7, now_ms=0)
    assert leases.live("BTC", held.generation)
    assert leases.renew("BTC", held.generation, 4_000, event_ns=5, revision=2)
    assert leases.expired(4_000 + LEASE_MS - 1) == []
    assert leases.expired(4_000 + LEASE_MS) == ["BTC"]
    assert not leases.renew("BTC", held.generation, 4_000 + LEASE_MS, event_ns=6, revision=2)


def test_an_older_generation_renews_nothing() -> None:
    leases = Leases()
    old = leases.issue("BTC", PROCESS, 1, 7, now_ms=0)
    leases.end("BTC", 50)
    new = leases.issue("BTC", PROCESS, 2, 8, now_ms=10)
    assert not leases.renew("BTC", old.generation, 20, event_ns=0, revision=1)
    assert not leases.live("BTC", old.generation)
    assert leases.live("BTC", new.generation)


def test_after_a_restart_only_the_same_process_goes_on_and_only_in_time() -> None:
    leases = Leases()
    held = leases.issue("BTC", PROCESS, 1, 7, now_ms=0)
    after = restarted(leases)
    after.await_holders(now_ms=100)
    assert after.live("BTC", held.generation)
    assert after.resume("BTC", held.generation, "f" * 16, 9, 200) is None
    assert after.resume("BTC", held.generation + 1, PROCESS, 9, 200) is None
    assert after.resume("BTC", held.generation, PROCESS, 9, 200) is not None
    assert after.resume("BTC", held.generation, PROCESS, 10, 300) is None

    late = restarted(leases)
    late.await_holders(now_ms=100)
    assert late.expired(100 + CONTINUE_MS) == ["BTC"]


def test_an_ended_lease_is_not_awaited() -> None:
    leases = Leases()
    leases.issue("BTC", PROCESS, 1, 7, now_ms=0)
    leases.end("BTC", 50)
    after = restarted(leases)
    after.await_holders(now_ms=0)
    assert after.holders == {}
