"""Client order ids that say whose they are.

128 bits: 16 prefix, 24 instance, 16 market, 24 generation, 48 sequence.
"""

import hashlib
from typing import Final

import msgspec

PREFIX: Final = "f1ee"
GENERATION_MAX: Final = 0xFF_FFFF
MARKET_MAX: Final = 0xFFFF
INSTANCE_DIGITS: Final = 6
STOP: Final = 0
"""The generation of a position's stop, which no lease ever has."""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where an order of Fleet's came from. ``instance`` as six hex digits."""

    instance: str
    market_number: int
    generation: int
    sequence: int


def instance_digits(instance: str) -> str:
    """Six hex digits for a fleet's instance: its own where it is hex, else its digest's."""
    head = instance.lower()[:INSTANCE_DIGITS]
    if len(head) == INSTANCE_DIGITS and all(c in "0123456789abcdef" for c in head):
        return head
    return hashlib.sha256(instance.encode()).hexdigest()[:INSTANCE_DIGITS]


def lease_prefix(instance: str, market_number: int, generation: int) -> str:
    """The 20 hex digits that every cloid of one lease begins with."""
    assert 0 < market_number <= MARKET_MAX
    assert 0 < generation <= GENERATION_MAX
    return f"{PREFIX}{instance}{market_number:04x}{generation:06x}"


def of_stop(instance: str, market_number: int, sequence: int) -> str:
    """The cloid of a position's stop; ``sequence`` rises."""
    assert 0 < market_number <= MARKET_MAX
    return f"0x{PREFIX}{instance}{market_number:04x}{STOP:06x}{sequence:012x}"


def is_stop(cloid: str | None) -> bool:
    """Whether it is a position's stop, of whatever fleet."""
    origin = parse(cloid)
    return origin is not None and origin.generation == STOP


def parse(cloid: str | None) -> Origin | None:
    """Whose order this is; None for one that no fleet placed."""
    if cloid is None or len(cloid) != 34 or not cloid.startswith("0x" + PREFIX):
        return None
    try:
        return Origin(
            instance=cloid[6:12],
            market_number=int(cloid[12:16], 16),
            generation=int(cloid[16:22], 16),
            sequence=int(cloid[22:], 16),
        )
    except ValueError:
        return None


class SequenceSet:
    """The sequences one lease has used; bounded, because what is far behind counts as used."""

    KEPT: Final = 20_000

    def __init__(self) -> None:
        self._floor = -1
        self._seen: set[int] = set()

    def used(self, sequence: int) -> bool:
        return sequence <= self._floor or sequence in self._seen

    def use(self, sequence: int) -> None:
        self._seen.add(sequence)
        if len(self._seen) > self.KEPT:
            kept = sorted(self._seen)[self.KEPT // 2 :]
            self._floor, self._seen = kept[0] - 1, set(kept)
