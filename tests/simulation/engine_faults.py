"""What goes wrong between the engine and the venue, and how often."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """Shares of what goes wrong; all zero = a quiet world."""

    request_lost: float = 0.0  # never reaches the venue, nobody says so
    straggling: float = 0.0  # called unanswered at once, and reaches the venue seconds later
    answer_lost: float = 0.0  # happened, the answer does not come back
    refused: float = 0.0  # the gateway turns it away
    cancel_limited: float = 0.0  # the venue answers a cancel with an error and does nothing
    duplicated: float = 0.0  # user events come twice
    gaps_per_s: float = 0.0
    dark_per_s: float = 0.0  # no market data for some seconds, though the link is up
    stale_info: float = 0.0  # a list of open orders that is a second or two old
    slow: float = 1.0  # factor on all delays


HEAVY = Faults(
    request_lost=0.02,
    straggling=0.02,
    answer_lost=0.04,
    refused=0.03,
    cancel_limited=0.03,
    duplicated=0.1,
    gaps_per_s=0.02,
    dark_per_s=0.03,
    stale_info=0.3,
    slow=2.0,
)
