"""Our order ids: 128 bits that say which fleet, market and generation sent an order."""

from typing import Final

import msgspec

from agents.market.types import Cloid

PREFIX_DIGITS: Final = 20
SEQUENCE_DIGITS: Final = 12
MARKET_DIGITS: Final = 14
CLOID_DIGITS: Final = 32


class CloidFields(msgspec.Struct, frozen=True):
    """16 bits prefix, 24 instance, 16 market, 24 generation, 48 sequence."""

    prefix: int
    instance: int
    market: int
    generation: int
    sequence: int


class CloidSequence:
    """Numbers the orders of one generation; ``prefix`` is the lease's 20 hex digits."""

    __slots__ = ("_last", "prefix")

    def __init__(self, prefix: str) -> None:
        bare = prefix.removeprefix("0x").lower()
        assert len(bare) == PREFIX_DIGITS
        assert all(digit in "0123456789abcdef" for digit in bare)
        self.prefix = bare
        self._last = 0

    def next(self) -> Cloid:
        """A cloid never given before in this generation."""
        self._last += 1
        assert self._last < 1 << (4 * SEQUENCE_DIGITS)
        return Cloid(f"0x{self.prefix}{self._last:0{SEQUENCE_DIGITS}x}")

    def is_own(self, cloid: Cloid | None) -> bool:
        """Whether this very generation sent it."""
        return cloid is not None and cloid.startswith(self.prefix, 2)

    def is_ours(self, cloid: Cloid | None) -> bool:
        """Whether any generation of this market, in this fleet's instance, sent it."""
        return cloid is not None and cloid.startswith(self.prefix[:MARKET_DIGITS], 2)


def decode(cloid: Cloid) -> CloidFields | None:
    """The fields of a cloid; None if it is no 32 hex digits. Whether it is ours is the caller's."""
    bare = cloid.removeprefix("0x")
    if len(bare) != CLOID_DIGITS:
        return None
    try:
        value = int(bare, 16)
    except ValueError:
        return None
    return CloidFields(
        prefix=value >> 112,
        instance=value >> 88 & 0xFFFFFF,
        market=value >> 72 & 0xFFFF,
        generation=value >> 48 & 0xFFFFFF,
        sequence=value & 0xFFFFFFFFFFFF,
    )
