"""What the supervisor asks of the cluster; ``fleet.cluster`` answers. Nothing here knows Ray."""

from typing import Protocol

from fleet.supervisor.attempts import Departure


class ClusterAway(Exception):
    """The cluster did not answer: what runs is not known, so nothing may be done about it."""


class Cluster(Protocol):
    """Starts, ends and names processes. Each call may block for seconds: call it in a thread.

    All raise ``ClusterAway``.
    """

    def markets(self) -> frozenset[str]:
        """Markets whose agent's process lives or is being started."""
        ...

    def risk_runs(self) -> bool: ...

    def start_agent(self, market: str) -> None:
        """Returns at once; an agent that is there already is left alone."""
        ...

    def stop_agent(self, market: str) -> None:
        """Ends the process without a word; no error if there is none."""
        ...

    def start_risk(self) -> None: ...

    def stop_risk(self) -> None: ...

    def explain(self, market: str) -> bytes | None:
        """What its agent says of its quotes, as JSON; None without an agent, or before its lease.
        The one call that an agent itself has to answer.
        """
        ...

    def departure(self, market: str) -> Departure | None:
        """The last word of the last agent of a market, if it left one."""
        ...

    def last_lines(self, market: str) -> str:
        """How the log of a market ends: the evidence for people. Empty if it has none."""
        ...
