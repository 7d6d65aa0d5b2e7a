"""The halt latch and the markets' fences: what may still be signed, and why not more."""

from typing import Final, Literal

from fleet.gateway.api import LatchView

Kind = Literal["cancel", "noop", "reduce_only", "placement"]


DURABLE: Final = frozenset({"agent", "agent_transient"})
"""Causes that outlive the gateway: an agent's kill, by itself or by a person to be lifted."""


class Fence:
    """One latch for the fleet, and for each market the causes that keep it shut.

    A market's fence opens when its last cause is gone; a cause is a word (``agent``,
    ``second_controller``), its reason is for people.
    """

    def __init__(self, latch: LatchView | None = None) -> None:
        self.latch = latch
        self._causes: dict[str, dict[str, str]] = {}

    def set_latch(self, latch: LatchView) -> None:
        """Halt. The first reason stands until it is lifted."""
        if self.latch is None:
            self.latch = latch

    def lift_latch(self) -> None:
        self.latch = None

    def close(self, market: str, cause: str, reason: str) -> bool:
        """Shut a market for one cause; True if that changed anything."""
        causes = self._causes.setdefault(market, {})
        changed = causes.get(cause) != reason
        causes[cause] = reason
        return changed

    def open(self, market: str, cause: str) -> bool:
        """Take one cause away; True if it was there."""
        causes = self._causes.get(market, {})
        return causes.pop(cause, None) is not None

    def closed(self, market: str) -> bool:
        return self.latch is not None or bool(self._causes.get(market))

    def reason(self, market: str) -> str:
        """Why it is shut, for people; empty when it is open."""
        if self.latch is not None:
            return f"halt: {self.latch.reason}"
        return "; ".join(self._causes.get(market, {}).values())

    def causes(self, market: str) -> dict[str, str]:
        return dict(self._causes.get(market, {}))

    def refuses(self, market: str, kind: Kind) -> str | None:
        """Why this may not be signed; None = it may.

        Once shut, only what takes risk away passes: cancels, noops, reduce-only orders (I2).
        """
        if kind != "placement" or not self.closed(market):
            return None
        return self.reason(market)
