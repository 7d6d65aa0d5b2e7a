"""Who may trade a market: leases of 5 s under generations that are never given twice."""

import msgspec

from agents.exchange.downstream import LEASE_MS
from fleet.gateway.core.cloids import GENERATION_MAX, MARKET_MAX

CONTINUE_MS = 3_000


class Holder(msgspec.Struct, frozen=True):
    """The process that holds a market's lease. ``session`` None: it has not come back yet."""

    generation: int
    process: str
    pid: int
    session: int | None
    deadline_ms: int
    event_ns: int = 0
    revision: int = 0


class Durable(msgspec.Struct):
    """One market's row of ``leases.json``, written before its generation is given out.

    ``number`` names the market inside cloids; neither it nor a generation is ever used again.
    ``ended_ms``: when the last lease ended; 0 while one lasts, and where there never was one.
    """

    number: int
    generation: int = 0
    process: str | None = None
    pid: int = 0
    ended_ms: int = 0


class Leases:
    """All leases. After a restart the holders on disk have ``CONTINUE_MS`` to come back."""

    def __init__(self, rows: dict[str, Durable] | None = None) -> None:
        self.rows: dict[str, Durable] = dict(rows or {})
        self.holders: dict[str, Holder] = {}
        self.caretakers: dict[str, int] = {}
        self._by_number = {row.number: market for market, row in self.rows.items()}

    def await_holders(self, now_ms: int) -> None:
        """Give those who held a lease when the gateway went down time to continue."""
        for market, row in self.rows.items():
            if row.process is not None:
                self.holders[market] = Holder(
                    generation=row.generation, process=row.process, pid=row.pid,
                    session=None, deadline_ms=now_ms + CONTINUE_MS,
                )  # fmt: skip

    def number(self, market: str) -> int:
        """The market's number, given at its first mention."""
        row = self.rows.get(market)
        if row is None:
            number = 1 + max((row.number for row in self.rows.values()), default=0)
            assert number <= MARKET_MAX
            row = self.rows[market] = Durable(number=number)
            self._by_number[number] = market
        return row.number

    def market_of(self, number: int) -> str | None:
        return self._by_number.get(number)

    def issue(self, market: str, process: str, pid: int, session: int, now_ms: int) -> Holder:
        """A new generation for a new holder; the caller makes ``rows`` durable, then tells it."""
        self.number(market)
        row = self.rows[market]
        row.generation += 1
        assert row.generation <= GENERATION_MAX
        row.process, row.pid, row.ended_ms = process, pid, 0
        holder = Holder(
            generation=row.generation, process=process, pid=pid, session=session,
            deadline_ms=now_ms + LEASE_MS,
        )  # fmt: skip
        self.holders[market] = holder
        return holder

    def resume(
        self, market: str, generation: int, process: str, session: int, now_ms: int
    ) -> Holder | None:
        """The same process goes on after a restart of the gateway; None if it may not."""
        held = self.holders.get(market)
        if held is None or held.session is not None:
            return None
        if (held.generation, held.process) != (generation, process):
            return None
        holder = msgspec.structs.replace(held, session=session, deadline_ms=now_ms + LEASE_MS)
        self.holders[market] = holder
        return holder

    def renew(
        self, market: str, generation: int, now_ms: int, *, event_ns: int, revision: int
    ) -> bool:
        """Another 5 s; False if the lease is no longer this generation's."""
        held = self.holders.get(market)
        if held is None or held.generation != generation or now_ms >= held.deadline_ms:
            return False
        self.holders[market] = msgspec.structs.replace(
            held, deadline_ms=now_ms + LEASE_MS, event_ns=event_ns, revision=revision
        )
        return True

    def end(self, market: str, now_ms: int) -> Holder | None:
        """Revoked, released, cut off or expired. The row is to be made durable."""
        row = self.rows.get(market)
        if row is not None and row.process is not None:
            row.process, row.ended_ms = None, now_ms
        return self.holders.pop(market, None)

    # ── the caretaker ────────────────────────────────────────────────────────────────────────

    def take_care(self, market: str) -> int:
        """A generation for the caretaker; ``rows`` are made durable before it is used."""
        self.number(market)
        row = self.rows[market]
        row.generation += 1
        assert row.generation <= GENERATION_MAX
        self.caretakers[market] = row.generation
        return row.generation

    def end_care(self, market: str) -> int | None:
        """The generation that has no owner any more."""
        return self.caretakers.pop(market, None)

    def expired(self, now_ms: int) -> list[str]:
        return [m for m, held in self.holders.items() if now_ms >= held.deadline_ms]

    def live(self, market: str, generation: int) -> bool:
        """Whether orders of this generation have an owner: an agent, or the caretaker."""
        held = self.holders.get(market)
        if held is not None and held.generation == generation:
            return True
        return self.caretakers.get(market) == generation
