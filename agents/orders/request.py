"""What is under way to the venue, and what became of each order of it."""

from typing import Literal

import msgspec

from agents.market.types import Cloid, Side


class Request(msgspec.Struct, frozen=True, gc=False):
    """A placement or a cancel on its way.

    ``replaces``: of a placement that puts each order in an old one's place, the old ones: one
    request with two legs, whose old order is on its way out while the new one is on its way in.
    """

    kind: Literal["place", "cancel"]
    cloids: tuple[Cloid, ...]
    sent_ns: int
    replaces: tuple[Cloid, ...] = ()


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The venue's word on one order of a placement; ``refusal`` None = it was taken."""

    side: Side
    reduces: bool
    refusal: str | None
    sent_ns: int
