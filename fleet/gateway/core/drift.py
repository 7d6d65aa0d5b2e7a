"""Whether what our fills add up to is what the venue holds, and what the agent believes in (I4).

    held by fills = position at a moment when both were known + every fill booked since
    compared       with the venue's own frame, as of the frame's time; fills on their way come late
    asked for      after ASK_MS: every fill since the two last agreed, which may close the gap
    told           after TOLD_MS: to a person, and in status, until they agree again

The agents' own monitors act on it: reduce-only, then halt. Here nobody is asked to believe them.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.market.types import Fill

ASK_MS: Final = 2_000
TOLD_MS: Final = 4_000
ASK_EVERY_MS: Final = 10_000
OVERLAP_MS: Final = 5_000

Who = Literal["fills", "agent"]


class Tally:
    """One market's fills since ``base_ms``, beside the venue's last word on the position."""

    def __init__(self, sz: Decimal, as_of_ms: int) -> None:
        self.sum_sz = self.venue_sz = sz
        self.base_ms = self.as_of_ms = self.agreed_ms = as_of_ms
        self._later: list[tuple[int, Decimal]] = []

    def fill(self, time_ms: int, signed_sz: Decimal) -> None:
        """A fill booked for the first time, however late; the base holds those up to it."""
        if time_ms <= self.base_ms:
            return
        if time_ms <= self.as_of_ms:
            self.sum_sz += signed_sz
            self._agree()
        else:
            self._later.append((time_ms, signed_sz))

    def frame(self, sz: Decimal, as_of_ms: int) -> None:
        self.venue_sz, self.as_of_ms = sz, as_of_ms
        later = self._later
        self.sum_sz += sum((part for ms, part in later if ms <= as_of_ms), Decimal(0))
        self._later = [(ms, part) for ms, part in later if ms > as_of_ms]
        self._agree()

    def _agree(self) -> None:
        if self.sum_sz == self.venue_sz:
            self.agreed_ms = self.as_of_ms


class Apart(msgspec.Struct):
    """Two of them differ since ``since_ms``. ``told``: a person knows."""

    since_ms: int
    text: str
    told: bool = False


class Drifts:
    """Every market's tally, and who differs from the venue for how long."""

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self._apart: dict[tuple[str, Who], Apart] = {}
        self._asked_ms = 0

    # ── what is heard ────────────────────────────────────────────────────────────────────────

    def frame(self, market: str, sz: Decimal, as_of_ms: int, now_ms: int) -> None:
        """The venue's own position; its first word is where counting begins."""
        tally = self.tallies.get(market)
        if tally is None:
            self.tallies[market] = Tally(sz, as_of_ms)
            return
        tally.frame(sz, as_of_ms)
        self._compare(market, tally, now_ms)

    def fill(self, fill: Fill, now_ms: int) -> None:
        tally = self.tallies.get(fill.coin)
        if tally is not None:
            tally.fill(fill.time_ms, fill.side.sign * fill.sz)
            self._compare(fill.coin, tally, now_ms)

    def _compare(self, market: str, tally: Tally, now_ms: int) -> None:
        same = tally.sum_sz == tally.venue_sz
        text = f"our fills add up to {tally.sum_sz:f}, the venue holds {tally.venue_sz:f}"
        self._note(market, "fills", None if same else text, now_ms)

    def believed(self, market: str, agent_sz: Decimal, held_sz: Decimal, now_ms: int) -> None:
        """What an agent reports, beside what the account's view says at that moment."""
        text = f"its agent believes in {agent_sz:f}, the venue holds {held_sz:f}"
        self._note(market, "agent", None if agent_sz == held_sz else text, now_ms)

    def left(self, market: str, now_ms: int) -> None:
        """No agent believes in anything any more."""
        self._note(market, "agent", None, now_ms)

    def forget(self, market: str) -> None:
        """The market is no longer ours."""
        self.tallies.pop(market, None)
        for key in [key for key in self._apart if key[0] == market]:
            del self._apart[key]

    def _note(self, market: str, who: Who, text: str | None, now_ms: int) -> None:
        apart = self._apart.get((market, who))
        if text is None:
            if apart is not None and apart.told:
                apart.text = ""  # for ``news``, which ends it
            elif apart is not None:
                del self._apart[(market, who)]
        elif apart is None:
            self._apart[(market, who)] = Apart(since_ms=now_ms, text=text)
        else:
            apart.text = text

    # ── what is said ─────────────────────────────────────────────────────────────────────────

    def text(self, market: str, now_ms: int) -> str | None:
        """What is apart for long enough to be told, for people."""
        told = [
            apart.text
            for (name, _), apart in self._apart.items()
            if name == market and apart.text and now_ms - apart.since_ms >= TOLD_MS
        ]
        return "; ".join(told) or None

    def news(self, now_ms: int) -> Iterator[tuple[str, str | None]]:
        """(market, what is apart now, or None: they agree again); each once."""
        for key, apart in list(self._apart.items()):
            if apart.told and not apart.text:
                del self._apart[key]
                yield key[0], None
            elif not apart.told and now_ms - apart.since_ms >= TOLD_MS:
                apart.told = True
                yield key[0], apart.text

    def ask_since_ms(self, now_ms: int) -> int | None:
        """From when on fills are to be asked for again, if any seem to be missing."""
        late = [
            self.tallies[market].agreed_ms
            for (market, who), apart in self._apart.items()
            if who == "fills" and apart.text and now_ms - apart.since_ms >= ASK_MS
        ]
        if not late or now_ms - self._asked_ms < ASK_EVERY_MS:
            return None
        self._asked_ms = now_ms
        return min(late) - OVERLAP_MS
