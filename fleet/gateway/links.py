"""The connections upstream: one for orders and the account, two that share the market data.

Coins are spread over the data connections by their names. One that is lost costs its own markets a
gap and no other anything; orders and the account go on.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final

import structlog

from agents.exchange.codec import subscribe_frame, unsubscribe_frame
from fleet.gateway.core.effects import Watch
from fleet.gateway.service import Gateway
from fleet.gateway.upstream import Upstream

SHARDS: Final = 2
SUSPECT_AFTER: Final = 2
SUSPECT_S: Final = 3.0
SPACED_S: Final = 0.3
_log = structlog.get_logger()


class Shard:
    """One data connection.

    Where it ended again and again right after its coins were subscribed, they are subscribed one by
    one, and the one under which it ends is left out from then on.
    """

    def __init__(self, gateway: Gateway, number: int, url: str) -> None:
        self._gateway, self._number = gateway, number
        self._short = 0
        self._since_s = 0.0
        self._trying = ""
        self.upstream = Upstream(
            url, on_frame=gateway.venue_frame, on_open=self._opened, on_lost=self._lost
        )

    async def _opened(self) -> None:
        self._since_s = asyncio.get_running_loop().time()
        feeds = self._gateway.state.feeds
        wanted = [
            row
            for row in self._gateway.state.routing.upstream()
            if feeds.shard(str(row["coin"])) == self._number and row["coin"] not in feeds.refused
        ]
        one_by_one = self._short >= SUSPECT_AFTER
        for row in wanted:
            if one_by_one and row["coin"] != self._trying:
                await asyncio.sleep(SPACED_S)
                self._trying = str(row["coin"])
            self.upstream.send(subscribe_frame(row))
        if one_by_one:
            await asyncio.sleep(SPACED_S)
            self._trying = ""
        self._gateway.core.feed_up(self._number, self._gateway.now_ms())

    def _lost(self, reason: str) -> None:
        lived_s = asyncio.get_running_loop().time() - self._since_s
        self._short = self._short + 1 if self._since_s and lived_s < SUSPECT_S else 0
        if self._trying:
            text = f"the venue ends the connection when it is subscribed: {reason}"
            self._gateway.refused_coin(self._trying, text)
            self._trying, self._short = "", 0
        self._since_s = 0.0
        _log.warning("venue.feed_lost", shard=self._number, reason=reason)
        self._gateway.feed_lost(self._number, self.upstream.silent_ms)


class Links:
    """All of them. ``on_open`` and ``on_lost`` are of the one for orders and the account."""

    def __init__(
        self,
        gateway: Gateway,
        url: str,
        on_open: Callable[[], Coroutine[None, None, None]],
        on_lost: Callable[[str], None],
    ) -> None:
        self.trading = Upstream(url, on_frame=gateway.venue_frame, on_open=on_open, on_lost=on_lost)
        gateway.state.feeds.shards = SHARDS
        self._shards = [Shard(gateway, number, url) for number in range(SHARDS)]
        self._feeds = gateway.state.feeds
        gateway.upstream, gateway.watching = self.trading, partial(self._watch)

    def runs(self) -> list[Coroutine[None, None, None]]:
        return [self.trading.run(), *(shard.upstream.run() for shard in self._shards)]

    def _watch(self, effect: Watch) -> None:
        encode = subscribe_frame if effect.on else unsubscribe_frame
        shard = self._feeds.shard(str(effect.subscription["coin"]))
        self._shards[shard].upstream.send(encode(effect.subscription))
