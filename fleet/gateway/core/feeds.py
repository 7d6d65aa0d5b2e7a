"""Whether each market's data can be trusted: one clocked stream, times that rise, no crossed touch.

``l2Book`` in its fast form comes twice a second whether anything changed or not, so its silence
means something; ``bbo`` and trades come as things happen, and their silence means nothing. A market
is stale when its clocked stream was silent for three times its observed period, when a stream went
back in time, when its touch is crossed, or when the connection that carries it is down.

A silent stream is asked for again, and the venue answers that with a book, whether or not another
one will follow: such a book is an answer, no sign of life.
"""

import zlib
from collections import deque
from typing import Final

import msgspec

RATIO: Final = 3
LEAST_MS: Final = 2_000
MOST_MS: Final = 30_000
PERIODS: Final = 20
HELD_UP_MS: Final = 300
"""Between two looks; more means that we were held up ourselves, and frames wait unread."""


class Feed(msgspec.Struct):
    """One market's. ``gaps``: of the clocked stream, the last few; ``asked``: it was asked for
    again, and its next frame is the answer.
    """

    seen_ms: int
    gaps: deque[int]
    wrong: dict[str, str]
    times: dict[str, int]
    asked: bool = False

    @property
    def limit_ms(self) -> int:
        """For how long the clocked stream may be silent."""
        return min(max(RATIO * max(self.gaps, default=0), LEAST_MS), MOST_MS)


class Feeds:
    """All markets'. ``shards``: over how many connections they are spread; 0: over the account's.

    ``down``: of a shard, since when. ``refused``: coins that the venue does not serve, and why.
    ``gaps``: of which markets' gaps agents were told, since when and why; ``again``: how often
    their streams were asked for anew.
    """

    def __init__(self) -> None:
        self.shards = 0
        self.down: dict[int, int] = {}
        self.refused: dict[str, str] = {}
        self.gaps: dict[str, tuple[int, str]] = {}
        self.again: dict[str, int] = {}
        self._feeds: dict[str, Feed] = {}
        self._judged_ms: int | None = None

    def shard(self, coin: str) -> int:
        """On which connection a coin's data comes."""
        return zlib.crc32(coin.encode()) % max(self.shards, 1)

    # ── frames ───────────────────────────────────────────────────────────────────────────────

    def clocked(self, coin: str, now_ms: int) -> None:
        """A frame of the clocked stream."""
        feed = self._feeds.get(coin)
        if feed is None:
            self._feeds[coin] = Feed(now_ms, deque(maxlen=PERIODS), {}, {})
            return
        if feed.asked:
            feed.asked = False
            return
        gap_ms = now_ms - feed.seen_ms
        if gap_ms <= feed.limit_ms:  # an outage tells nothing of the period
            feed.gaps.append(gap_ms)
        feed.seen_ms = now_ms

    def told(
        self, coin: str, stream: str, venue_ms: int, bid_px: float | None, ask_px: float | None
    ) -> None:
        """Time and touch of a frame."""
        feed = self._feeds.get(coin)
        if feed is None:
            return
        crossed = bid_px is not None and ask_px is not None and bid_px >= ask_px
        if venue_ms < feed.times.get(stream, 0):
            feed.wrong[stream] = f"{stream} went back in time"
        elif crossed:
            feed.wrong[stream] = f"{stream} is crossed: {bid_px:g} and {ask_px:g}"
        else:
            feed.wrong.pop(stream, None)
        feed.times[stream] = venue_ms

    def ask(self, coin: str) -> None:
        """Its streams were subscribed anew, on a connection that lives."""
        feed = self._feeds.get(coin)
        if feed is not None:
            feed.asked = True

    def forget(self, coin: str) -> None:
        """It is not watched any more."""
        self._feeds.pop(coin, None)
        for held in (self.gaps, self.again, self.refused):
            held.pop(coin, None)

    def begin(self, shard: int | None, now_ms: int) -> None:
        """A connection was opened again: silence and times count from now. None: all of them."""
        for coin, feed in self._feeds.items():
            if shard is None or self.shard(coin) == shard:
                feed.seen_ms = now_ms
                feed.asked = False
                feed.wrong.clear()
                feed.times.clear()

    def silent(self, coin: str, now_ms: int) -> bool:
        """Whether its gap is silence that lasts: what comes meanwhile shows no market."""
        feed = self._feeds.get(coin)
        return coin in self.gaps and feed is not None and now_ms - feed.seen_ms > feed.limit_ms

    # ── judging ──────────────────────────────────────────────────────────────────────────────

    def look(self, now_ms: int) -> None:
        """Before judging, each time: what we did not look at for long may wait unread."""
        last_ms, self._judged_ms = self._judged_ms, now_ms
        if last_ms is not None and now_ms - last_ms > HELD_UP_MS:
            for feed in self._feeds.values():
                feed.seen_ms += now_ms - last_ms

    def why(self, coin: str, now_ms: int) -> str | None:
        """What is wrong with a market's data, for people; None: nothing."""
        if coin in self.refused:
            return self.refused[coin]
        if self.shards and self.shard(coin) in self.down:
            return "the connection of its market data is down"
        feed = self._feeds.get(coin)
        if feed is None:
            return None  # nobody watches its book
        silent_ms = now_ms - feed.seen_ms
        if silent_ms > feed.limit_ms:
            return f"no book for {silent_ms / 1000:.1f} s"
        return next(iter(feed.wrong.values()), None)
