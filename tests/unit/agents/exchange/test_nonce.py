"""Nonces rise strictly, whatever the clock does."""

from agents.exchange.nonce import NonceSequence


def test_nonces_follow_the_clock() -> None:
    nonces = NonceSequence()
    assert [nonces.next(now) for now in (1_000, 1_005, 2_000)] == [1_000, 1_005, 2_000]


def test_nonces_rise_when_the_clock_stands_or_steps_back() -> None:
    nonces = NonceSequence()
    assert [nonces.next(now) for now in (1_000, 1_000, 400, 1_002)] == [1_000, 1_001, 1_002, 1_003]


def test_a_restart_goes_on_above_the_last_nonce() -> None:
    nonces = NonceSequence(last=5_000)
    assert nonces.next(4_000) == 5_001
    assert nonces.last == 5_001
