"""What one market's risk must not forget: it goes to the gateway, and comes with the next lease."""

import msgspec


class Kill(msgspec.Struct, frozen=True, gc=False):
    """A latched kill. ``cause``: the monitor; ``seen_ms``: when it was last found."""

    cause: str
    reason: str
    at_ms: int
    seen_ms: int
    by_person: bool = True

    @property
    def text(self) -> str:
        """For people."""
        lifts = "a person lifts it" if self.by_person else "lifts by itself"
        return f"killed by {self.cause}: {self.reason} ({lifts})"


class Kept(msgspec.Struct, frozen=True, gc=False):
    """What a restart must not forget. Money in USD, all of this market.

    ``day``: UTC, days since 1970; ``before_usd``: P&L of the days before it since counting began;
    ``open_usd``: the unrealised P&L that the day began with (None: nothing is counted yet);
    ``pnl_usd`` and ``unrealized_usd``: as last known, ``peak_usd`` of the former; ``kills``: of
    that day; ``reduced``: why only what reduces is quoted; ``ramp_ms``: when sizes began to come
    back.
    """

    day: int = 0
    before_usd: float = 0.0
    open_usd: float | None = None
    pnl_usd: float = 0.0
    unrealized_usd: float = 0.0
    peak_usd: float = 0.0
    kill: Kill | None = None
    kills: int = 0
    reduced: str | None = None
    ramp_ms: int | None = None
