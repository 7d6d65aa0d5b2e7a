"""Cloids say whose they are, and a lease's sequences are used once."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.cloids import (
    Origin,
    SequenceSet,
    instance_digits,
    lease_prefix,
    parse,
)


@given(
    number=st.integers(1, 0xFFFF),
    generation=st.integers(1, 0xFF_FFFF),
    sequence=st.integers(0, 2**48 - 1),
)
def test_a_cloid_tells_its_origin(number: int, generation: int, sequence: int) -> None:
    prefix = lease_prefix("abc123", number, generation)
    assert len(prefix) == 20
    cloid = f"0x{prefix}{sequence:012x}"
    assert parse(cloid) == Origin("abc123", number, generation, sequence)


def test_others_orders_have_no_origin() -> None:
    assert parse(None) is None
    assert parse("0x" + "1" * 32) is None
    assert parse("0xf1ee") is None
    assert parse("0xf1ee" + "z" * 28) is None


def test_an_instance_keeps_its_digits_or_gets_some() -> None:
    assert instance_digits("ABC1234567") == "abc123"
    odd = instance_digits("my fleet")
    assert len(odd) == 6
    assert odd == instance_digits("my fleet")
    assert odd != instance_digits("your fleet")


@given(st.lists(st.integers(0, 60_000), max_size=300))
def test_a_sequence_is_used_once(drawn: list[int]) -> None:
    used = SequenceSet()
    seen: set[int] = set()
    for sequence in drawn:
        assert used.used(sequence) == (sequence in seen)
        used.use(sequence)
        seen.add(sequence)


def test_what_is_far_behind_counts_as_used() -> None:
    used = SequenceSet()
    for sequence in range(1, SequenceSet.KEPT + 100):
        used.use(sequence)
    assert used.used(0)
    assert used.used(1)
    assert used.used(SequenceSet.KEPT)
    assert not used.used(SequenceSet.KEPT + 100)
