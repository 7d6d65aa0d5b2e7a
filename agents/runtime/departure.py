"""How an agent leaves: its code, and why."""

from typing import Final

import msgspec

from agents.exchange.downstream import EXIT_LEASE_LOST

EXIT_BROKEN: Final = 1


class Departure(msgspec.Struct, frozen=True):
    """Why an agent left. ``code``: 0 drained and released, 75 lease gone, 1 a fault of ours."""

    code: int
    reason: str


class Leave(Exception):
    """Ends an agent's tasks at once."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.departure = Departure(code, reason)


def lease_gone(reason: str) -> Leave:
    """The lease is over, whoever ended it."""
    return Leave(EXIT_LEASE_LOST, reason)
