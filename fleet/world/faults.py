"""What goes wrong in a world: shares and rates, drawn by the seed, no two worlds alike."""

from enum import StrEnum
from typing import Final

import msgspec

from agents.sim.flow_price import Chance
from agents.sim.network import Weather


class Level(StrEnum):
    """How bad a world may be."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


class Faults(msgspec.Struct, frozen=True):
    """Shares of requests and frames, and mean seconds between events of each kind (0: never).

    ``lost_requests`` never arrive; ``lost_answers`` did happen; ``limited``: answered with 429,
    nothing done; ``slow``: held back by up to ``slow_ms``; ``stale``: answers that are up to
    ``stale_ms`` older than the truth; ``short_snapshots``: a new subscription's list of fills has
    but the last few. ``ack_ms``: a request with its answer, median; ``feed_ms``: a frame.
    """

    lost_requests: float = 0.0
    lost_answers: float = 0.0
    limited: float = 0.0
    lost_data: float = 0.0
    doubled: float = 0.0
    slow: float = 0.0
    slow_ms: float = 0.0
    stale: float = 0.0
    stale_ms: float = 0.0
    short_snapshots: float = 0.0
    jitter: float = 0.3
    ack_ms: float = 250.0
    feed_ms: float = 100.0
    disconnect_s: float = 0.0
    partition_s: float = 0.0
    silence_s: float = 0.0
    venue_step_s: float = 0.0
    agent_crash_s: float = 0.0
    agent_hang_s: float = 0.0
    agent_cut_s: float = 0.0
    gateway_crash_s: float = 0.0
    gateway_torn_s: float = 0.0
    disk_full_s: float = 0.0
    risk_crash_s: float = 0.0
    supervisor_crash_s: float = 0.0
    clock_step_s: float = 0.0
    halt_s: float = 0.0
    direct_halt_s: float = 0.0
    pause_s: float = 0.0
    drain_s: float = 0.0
    flatten_s: float = 0.0
    revoke_s: float = 0.0
    settings_s: float = 0.0
    foreign_s: float = 0.0
    second_controller_s: float = 0.0
    agent_mad_s: float = 0.0

    def requests(self) -> Weather:
        """From the gateway to the venue's blocks."""
        return Weather(
            self.ack_ms / 2, self.jitter, self.lost_requests, 0.0, self.slow, self.slow_ms
        )

    def answers(self) -> Weather:
        """From the venue back."""
        return Weather(
            self.ack_ms / 2, self.jitter, self.lost_answers, 0.0, self.slow, self.slow_ms
        )

    def data(self) -> Weather:
        """Market data."""
        return Weather(self.feed_ms, self.jitter, self.lost_data, 0.0, self.slow, self.slow_ms)

    def account(self) -> Weather:
        """The account's own feeds: never lost on a connection that stands."""
        return Weather(self.feed_ms, self.jitter, 0.0, self.doubled, self.slow, self.slow_ms)


LOCAL: Final = Weather(0.2, 0.5)
"""A Unix socket between two processes of one machine."""

_MOST: Final = Faults(
    lost_requests=0.05, lost_answers=0.05, limited=0.05, lost_data=0.10, doubled=0.2, slow=0.10,
    slow_ms=4_000.0, stale=0.3, stale_ms=800.0, short_snapshots=0.5, jitter=0.6,
    disconnect_s=25.0, partition_s=50.0, silence_s=40.0, venue_step_s=60.0,
    agent_crash_s=30.0, agent_hang_s=25.0, agent_cut_s=50.0, gateway_crash_s=40.0,
    gateway_torn_s=40.0, disk_full_s=40.0, risk_crash_s=50.0, supervisor_crash_s=50.0,
    clock_step_s=25.0, halt_s=80.0, direct_halt_s=120.0, pause_s=90.0, drain_s=80.0,
    flatten_s=120.0, revoke_s=90.0, settings_s=40.0, foreign_s=60.0, second_controller_s=60.0,
    agent_mad_s=20.0,
)  # fmt: skip
_AMOUNTS: Final = frozenset({"jitter", "slow_ms", "stale_ms", "ack_ms", "feed_ms"})
_KEPT: Final = {Level.NONE: 0.0, Level.LIGHT: 0.5, Level.HEAVY: 0.65}
_SCALE: Final = {Level.NONE: 0.0, Level.LIGHT: 0.3, Level.HEAVY: 1.0}


def draw(level: Level, chance: Chance) -> Faults:
    """The seed's own mix: each kind is there or not, and more or less of it."""
    if level is Level.NONE:
        return Faults()
    values: dict[str, float] = {}
    for name in Faults.__struct_fields__:
        most = float(getattr(_MOST, name))
        there, share = chance.random() < _KEPT[level], 0.3 + 0.7 * chance.random()
        scale = _SCALE[level] * share
        if name in _AMOUNTS:
            values[name] = most
        elif name.endswith("_s"):
            values[name] = most / scale if there else 0.0
        else:
            values[name] = most * scale if there else 0.0
    return Faults(**values)
