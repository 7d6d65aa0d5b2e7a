"""Orders of ours that the venue lists and we don't hold: believed when listed twice.

A list may be older than what we know: it shows orders that have ended since, and a node that lags
shows them for seconds more. So what it lists counts only if it was asked for after the last answer
to a placement, and after the order's own end, with time for the lag; and only the second of two
such lists, asked for after the first was heard, makes an orphan of it.
"""

from typing import Final

from agents.events import LiveOrder
from agents.market.types import Cloid
from agents.market.units import s_to_ns

LAG_NS: Final = s_to_ns(3.0)


class Sightings:
    """When each such order was first listed; forgotten by the first list that lacks it."""

    __slots__ = ("_heard_ns",)

    def __init__(self) -> None:
        self._heard_ns: dict[Cloid, int] = {}

    def __bool__(self) -> bool:
        """Whether there is an order to look for once more."""
        return bool(self._heard_ns)

    def listed(
        self, row: LiveOrder, *, ended_ns: int | None, acked_ns: int, requested_ns: int, now_ns: int
    ) -> bool:
        """Whether it is an orphan now. ``ended_ns``: when we took it for gone, None = never held;
        ``acked_ns``: of the last answer to a placement.
        """
        assert row.cloid is not None
        if requested_ns <= acked_ns:
            return False
        if ended_ns is not None and requested_ns <= ended_ns + LAG_NS:
            return False
        heard_ns = self._heard_ns.setdefault(row.cloid, now_ns)
        return heard_ns < requested_ns

    def keep_only(self, listed: set[Cloid]) -> None:
        """A list came: what it lacks is no longer looked for."""
        self._heard_ns = {
            cloid: heard_ns for cloid, heard_ns in self._heard_ns.items() if cloid in listed
        }

    def forget(self, cloid: Cloid) -> None:
        self._heard_ns.pop(cloid, None)
