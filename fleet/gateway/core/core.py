"""The gateway's core: events in, effects out, in the order they are to be carried out."""

import re
from typing import Final

import msgspec

from agents.exchange.codec import decode_frame
from agents.exchange.errors import MalformedFrame
from agents.exchange.frames import (
    AccountFrame,
    AllAccountsFrame,
    ErrorFrame,
    FundingRows,
    LedgerRows,
    OpenOrdersFrame,
    PostFrame,
    UserFills,
    UserOrderUpdates,
)
from agents.exchange.registry import Registry
from fleet.gateway.api import LatchView
from fleet.gateway.core import (
    agents,
    answers,
    feed_watch,
    handover,
    listing,
    market_frames,
    posts,
    requests,
    sweeps,
    venue,
)
from fleet.gateway.core.effects import Alert, Effect, Record
from fleet.gateway.core.state import FLEET, Session, State
from fleet.gateway.core.timers import Timers, unwatched
from fleet.gateway.records import LatchSet, LinkSeen

_COIN: Final = re.compile(r'"coin":\s*"([^"]+)"')
_POST_ID: Final = re.compile(r'\\?"id\\?":\s*(\d+)')


class Core:
    """One gateway. ``state`` is read by status and changed by ``fleet.gateway.core.control``."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._timers = Timers()

    # ── agents ───────────────────────────────────────────────────────────────────────────────

    def opened(self, session_id: int, now_ms: int) -> None:
        agents.opened(self.state, session_id, now_ms)

    def said(self, session_id: int, raw: bytes, now_ms: int) -> list[Effect]:
        session = self.state.sessions.get(session_id)
        return posts.said(self.state, session, raw, now_ms) if session else []

    def closed(self, session_id: int, now_ms: int) -> list[Effect]:
        return agents.closed(self.state, session_id, now_ms)

    # ── venue ────────────────────────────────────────────────────────────────────────────────

    def venue_frame(self, raw: bytes, now_ms: int) -> list[Effect]:
        """One frame as received. ``MalformedFrame`` if it is not the venue's protocol."""
        try:
            effects = market_frames.take(self.state, raw, now_ms)
            if effects is not None:
                return effects
            return self._account_frame(raw, now_ms)
        except msgspec.MsgspecError as error:
            raise MalformedFrame(f"{error} in {raw[:80]!r}") from error

    def _account_frame(self, raw: bytes, now_ms: int) -> list[Effect]:
        match decode_frame(raw):
            case PostFrame() as frame:
                return self._answer(frame, now_ms)
            case (
                UserOrderUpdates()
                | UserFills()
                | OpenOrdersFrame()
                | AccountFrame()
                | AllAccountsFrame()
                | FundingRows()
                | LedgerRows()
            ) as frame:
                return venue.user_frame(self.state, raw, frame, now_ms)
            case ErrorFrame(text=text):
                coin = _COIN.search(text)
                if text.startswith("Invalid subscription") and coin is not None:
                    told = "the venue refuses its market data"
                    return feed_watch.refused(self.state, coin.group(1), told)
                found = _POST_ID.search(text)
                if found is None or "post" not in text:
                    return []
                return answers.not_sent(self.state, int(found.group(1)), "malformed", text)
            case _:
                return []

    def _answer(self, frame: PostFrame, now_ms: int) -> list[Effect]:
        if frame.kind == "action":
            return answers.action(self.state, frame.id, frame.payload_raw, now_ms)
        if frame.kind == "info":
            data = answers.info_payload(frame.payload_raw)
            return answers.info(self.state, frame.id, data, now_ms)
        text = msgspec.json.decode(frame.payload_raw, type=str)
        return answers.failed(self.state, frame.id, text, now_ms)

    def link_lost(self, now_ms: int, silent_ms: int = 0) -> list[Effect]:
        """The connection is gone: every answer on its way is lost, agents are told.

        ``silent_ms``: for so long nothing had been heard of it.
        """
        state = self.state
        if state.link.state == "gap":
            return []
        state.link.state, state.link.since_ms = "gap", now_ms - silent_ms
        state.link.losses += 1
        state.feeds.gaps.clear()
        state.routing.drop_held()
        effects: list[Effect] = [Record(body=LinkSeen(state="gap"))]
        effects += self._tell_link(None)
        for request in list(state.pending):
            effects += answers.unanswered(state, request, now_ms)
        return effects + unwatched(state, now_ms)  # at once, if it was silent for long

    def link_up(self, now_ms: int) -> list[Effect]:
        """Connected, subscribed and reconciled."""
        state = self.state
        word = "recovered" if state.link.ever else "up"
        state.awaited.clear()
        held = venue.take_held(state, now_ms)
        state.feeds.begin(None, now_ms)
        state.link.state, state.link.since_ms, state.link.ever = "up", now_ms, True
        effects: list[Effect] = [*held, Record(body=LinkSeen(state=word))]
        asked = {p.nonce for p in state.pending.values() if p.purpose == "void"}
        lost = sorted(state.orders.unresolved.keys() - asked)  # of before a restart, of the gap
        effects += [requests.void(state, nonce, None, now_ms) for nonce in lost]
        for session in list(state.sessions.values()):
            effects += self._lease_after_restart(session, now_ms)
        return effects + self._tell_link(word)

    def _lease_after_restart(self, session: Session, now_ms: int) -> list[Effect]:
        """Who continued before the venue was known gets its lease now."""
        state = self.state
        if not session.awaits_link or session.market is None:
            return []
        held = state.leases.holders.get(session.market)
        if held is None or state.instrument(session.market) is None:
            return agents.end_lease(state, session.market, "the market is not listed", now_ms)
        return agents.give_lease(state, session, held, now_ms)

    def _tell_link(self, word: str | None) -> list[Effect]:
        holders = [
            s for s in self.state.sessions.values() if s.market is not None and not s.awaits_link
        ]
        return [agents.link_frame(self.state, session, word) for session in holders]

    def feed_lost(self, shard: int, now_ms: int, silent_ms: int = 0) -> list[Effect]:
        """A connection that carries market data alone is gone."""
        self.state.feeds.down.setdefault(shard, now_ms - silent_ms)
        return feed_watch.tick(self.state, now_ms)

    def feed_up(self, shard: int, now_ms: int) -> None:
        """It is open again, and all of it subscribed."""
        self.state.feeds.down.pop(shard, None)
        self.state.feeds.begin(shard, now_ms)

    def refreshed(self, registry: Registry, now_ms: int) -> list[Effect]:
        """What the venue lists, looked at again."""
        return listing.refreshed(self.state, registry, now_ms)

    def learned(self, registry: Registry) -> None:
        """What the venue lists, new or refreshed."""
        self.state.registry = registry

    # ── time, latch ──────────────────────────────────────────────────────────────────────────

    def tick(self, now_ms: int) -> list[Effect]:
        return self._timers.tick(self.state, now_ms)

    def latch_found(self, latch: LatchView, now_ms: int) -> list[Effect]:
        """The latch's file appeared from outside (``halt --direct``)."""
        state = self.state
        state.fence.set_latch(latch)
        effects: list[Effect] = [Record(body=LatchSet(latch.reason, latch.by))]
        effects.append(Alert("critical", "halt", f"halt by {latch.by}: {latch.reason}"))
        effects += handover.end_all(state)
        for market in state.markets:
            effects += agents.fence_frames(state, market)
        sweeps.start_fleet(state, now_ms, foreign=False)
        return [*effects, *sweeps.step(state, FLEET, now_ms)]
