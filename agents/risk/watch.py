"""What the monitors need of the last seconds and minutes, gathered as it happens."""

from collections import deque
from typing import Final

from agents.market.units import BPS, NS_PER_S, s_to_ns
from agents.risk.windows import Count, Range, Since

MOVE_NS: Final = s_to_ns(5.0)
GROWTH_NS: Final = s_to_ns(60.0)
ANSWERS_NS: Final = s_to_ns(30.0)
LIMITED_NS: Final = s_to_ns(60.0)
AWAITED_MAX_NS: Final = s_to_ns(30.0)
_LIMITS: Final = ("too many", "rate limit", "429", "cumulative requests")


class Watch:
    """One market's short memory. ``inherited_sz``: |position| that the limit in force began with,
    or what is left of it. ``liquidated``: what told of a liquidation of ours.
    """

    __slots__ = (
        "_answers", "_asked", "_foreign", "_grown_ns", "_limited", "_mark_px", "_moves",
        "_oracle_mid_px", "_oracle_ns", "_oracle_px", "_sizes", "account_ns", "ctx_ns",
        "grown_share", "inherited_sz", "liquidated", "liquidation_px", "over", "stuck",
    )  # fmt: skip

    def __init__(self, held_sz: float) -> None:
        self._moves = Range(MOVE_NS)
        self._sizes = Range(GROWTH_NS)
        self._answers = Range(ANSWERS_NS)
        self._limited = Count(LIMITED_NS)
        self._asked: dict[int, int] = {}
        self._foreign: deque[tuple[int, float]] = deque()
        self._grown_ns: int | None = None
        self._mark_px: float | None = None
        self._oracle_px: float | None = None
        self._oracle_mid_px: float | None = None
        self._oracle_ns = 0
        self.stuck, self.over = Since(), Since()
        self.grown_share = 0.0
        self.inherited_sz = abs(held_sz)
        self.liquidated: str | None = None
        self.liquidation_px: float | None = None
        self.ctx_ns: int | None = None
        self.account_ns: int | None = None

    # ── what is told ─────────────────────────────────────────────────────────────────────────

    def told_ctx(self, mark_px: float, oracle_px: float, now_ns: int) -> None:
        """Mark and oracle; the oracle's own age counts from its last change."""
        self.ctx_ns = now_ns
        if mark_px > 0:
            self._mark_px = mark_px
        if oracle_px > 0 and oracle_px != self._oracle_px:
            self._oracle_px, self._oracle_ns, self._oracle_mid_px = oracle_px, now_ns, None

    def told_account(self, liquidation_px: float | None, now_ns: int) -> None:
        self.account_ns = now_ns
        self.liquidation_px = liquidation_px

    def lifted(self) -> None:
        """A person opened the fence, and knows what was refused or liquidated until then."""
        self.liquidated = None
        self._limited = Count(LIMITED_NS)

    def limits_changed(self, held_sz: float) -> None:
        """What is held now was not taken on under the limit that comes into force."""
        self.inherited_sz = abs(held_sz)

    def asked(self, request_id: int, now_ns: int) -> None:
        self._asked[request_id] = now_ns

    def answered(self, request_id: int, now_ns: int) -> None:
        """An answer, a refusal, or the word that there will be none."""
        asked_ns = self._asked.pop(request_id, None)
        if asked_ns is not None:
            self._answers.add((now_ns - asked_ns) / NS_PER_S, now_ns)

    def refused(self, text: str, now_ns: int) -> None:
        """A request or an order was turned away; counted if for the number of requests."""
        said = text.lower()
        if any(word in said for word in _LIMITS):
            self._limited.add(now_ns)

    def foreign(self, signed_sz: float, now_ns: int) -> None:
        """A fill of the account in this market, of no order of ours."""
        self._foreign.append((now_ns, signed_sz))

    # ── what time shows ──────────────────────────────────────────────────────────────────────

    def look(
        self, mid_px: float | None, held_sz: float, held_share: float, most: float, now_ns: int
    ) -> None:
        """One moment. ``held_share``: |position| over its limit; ``most``: growth that is too
        much.
        """
        self.inherited_sz = min(self.inherited_sz, held_sz)
        if mid_px is None:
            return
        self._moves.add(mid_px, now_ns)
        if self._oracle_mid_px is None:
            self._oracle_mid_px = mid_px
        self._sizes.add(held_share, now_ns)
        self.grown_share = held_share - (self._sizes.low(now_ns) or 0.0)
        if self.grown_share >= most:
            self._grown_ns = now_ns

    # ── what is asked ────────────────────────────────────────────────────────────────────────

    def move_share(self, now_ns: int) -> float:
        """The range of the mid over five seconds, as a fraction of its low."""
        low, high = self._moves.low(now_ns), self._moves.high(now_ns)
        return 0.0 if low is None or high is None else high / low - 1.0

    def growth_hold_s(self, now_ns: int) -> float | None:
        """How long ago the position last grew too fast."""
        return None if self._grown_ns is None else (now_ns - self._grown_ns) / NS_PER_S

    def answer_s(self, now_ns: int) -> float:
        """The slowest answer of half a minute, or the wait for the oldest that is missing."""
        slowest_s = self._answers.high(now_ns) or 0.0
        if self._asked:
            first = next(iter(self._asked))
            waited_ns = now_ns - self._asked[first]
            if waited_ns > AWAITED_MAX_NS:
                del self._asked[first]
            slowest_s = max(slowest_s, waited_ns / NS_PER_S)
        return slowest_s

    def foreign_sz(self, now_ns: int) -> float:
        """What fills of no order of ours did to the position within five seconds."""
        foreign = self._foreign
        while foreign and now_ns - foreign[0][0] > MOVE_NS:
            foreign.popleft()
        return sum(sz for _, sz in foreign) if foreign else 0.0

    def rate_limited(self, now_ns: int) -> int:
        return self._limited.count(now_ns)

    def oracle_age_s(self, now_ns: int) -> float | None:
        return None if self._oracle_px is None else (now_ns - self._oracle_ns) / NS_PER_S

    def oracle_behind_bps(self, mid_px: float | None) -> float:
        """What the mid has moved since the oracle did."""
        at_px = self._oracle_mid_px
        return 0.0 if at_px is None or mid_px is None else abs(mid_px / at_px - 1.0) * BPS

    @property
    def mark_away_bps(self) -> float:
        """The mark's distance from the oracle."""
        if self._mark_px is None or self._oracle_px is None:
            return 0.0
        return abs(self._mark_px / self._oracle_px - 1.0) * BPS

    def liquidation_bps(self, mid_px: float | None) -> float | None:
        """The mark's distance from the liquidation price; the mid's where no mark is told."""
        px = self._mark_px or mid_px
        if self.liquidation_px is None or px is None:
            return None
        return abs(self.liquidation_px / px - 1.0) * BPS
