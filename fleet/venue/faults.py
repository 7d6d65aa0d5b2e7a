"""Faults on demand: what the venue is told to do wrong, and whether this request meets it."""

from collections import Counter
from random import Random
from typing import Annotated, Final, Literal

import msgspec

from agents.market.units import NS_PER_S
from fleet.venue.refusals import AnswerLost, TurnedAway
from fleet.venue.subscriptions import Json, Key

Seconds = Annotated[float, msgspec.Meta(ge=0, le=3_600)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

STRAY_S: Final = 0.5
FILLS: Final = frozenset({"userFills", "userEvents"})
FILL_LISTS: Final = frozenset({"userFills", "userFillsByTime"})
PLACING: Final = frozenset({"order", "modify", "batchModify"})


class StatusBurst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For ``s`` seconds every request is answered with this code, and nothing happens."""

    code: Literal[429, 502]
    s: Seconds


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong from now on; a new plan replaces the whole of the one before.

    hold_placements_s     actions that place orders join a block only so much later
    drop_answers_share    of actions that happen, though their answer never comes
    delay_answers_s       answers to actions come so much later than feeds tell of them
    duplicate_user_frames each frame of an account comes again, up to half a second later
    reorder_user_frames   frames of an account overtake one another, up to half a second
    cut_connections       once: every WebSocket is cut off
    freeze_connections_s  once: nothing is read or written for so long, and no connection ends
    status_burst          once: 429 or 502 instead of answers
    stale_feed            coins without market data over WebSocket
    crossed_feed          coins whose ``bbo`` shows the bid above the ask
    still_oracle          coins whose oracle is not moved any more, but by ``/admin/oracle``
    hide_fills            fills of accounts happen, and neither feeds nor lists tell of them
    taker_fills           fills are told as if each had taken, whatever it was
    post_only             nothing but post-only orders is taken, as after an upgrade
    """

    hold_placements_s: Seconds = 0.0
    drop_answers_share: Share = 0.0
    delay_answers_s: Seconds = 0.0
    duplicate_user_frames: bool = False
    reorder_user_frames: bool = False
    cut_connections: bool = False
    freeze_connections_s: Seconds = 0.0
    status_burst: StatusBurst | None = None
    stale_feed: tuple[str, ...] = ()
    crossed_feed: tuple[str, ...] = ()
    still_oracle: tuple[str, ...] = ()
    hide_fills: bool = False
    taker_fills: bool = False
    post_only: bool = False


class Faults:
    """The plan at work. Chance comes from ``chance`` alone; what was done is counted by kind."""

    def __init__(self, chance: Random) -> None:
        self.plan = Plan()
        self.happened: Counter[str] = Counter()
        self._chance = chance
        self._frozen_until_ns = 0
        self._burst_until_ns = 0

    def take(self, plan: Plan, now_ns: int) -> None:
        """From now on this plan alone; its one-shot faults start here."""
        self.plan = plan
        self._frozen_until_ns = now_ns + round(plan.freeze_connections_s * NS_PER_S)
        self._burst_until_ns = 0
        if plan.status_burst is not None:
            self._burst_until_ns = now_ns + round(plan.status_burst.s * NS_PER_S)
        self._count("cut", plan.cut_connections)
        self._count("freeze", plan.freeze_connections_s > 0.0)

    def frozen_s(self, now_ns: int) -> float:
        """How long nothing moves yet; 0 when all is well."""
        return max(0.0, (self._frozen_until_ns - now_ns) / NS_PER_S)

    def admit(self, now_ns: int) -> None:
        """Raises TurnedAway while one lasts."""
        burst = self.plan.status_burst
        if burst is not None and now_ns < self._burst_until_ns:
            self._count("burst")
            raise TurnedAway(burst.code)

    def hold_s(self, kind: object) -> float:
        """How much later than it should an action of this type joins a block."""
        if kind not in PLACING or self.plan.hold_placements_s == 0.0:
            return 0.0
        self._count("held")
        return self.plan.hold_placements_s

    def answer_s(self) -> float:
        """How much later than it should the answer to an action leaves."""
        self._count("delayed", self.plan.delay_answers_s > 0.0)
        return self.plan.delay_answers_s

    def keep_answer(self) -> None:
        """Raises AnswerLost for the share of answers that never leave."""
        share = self.plan.drop_answers_share
        if share > 0.0 and self._chance.random() < share:
            self._count("dropped")
            raise AnswerLost

    def send(self, key: Key, frame: bytes) -> list[tuple[float, bytes]]:
        """What goes out in place of a frame: each with how much later, 0 = now and in order."""
        plan = self.plan
        if key.coin in plan.stale_feed:
            self._count("stale")
            return []
        if key.type == "bbo" and key.coin in plan.crossed_feed:
            self._count("crossed")
            return [(0.0, _crossed(frame))]
        if key.type in FILLS and plan.hide_fills:
            self._count("hidden")
            return []
        if key.type in FILLS and plan.taker_fills:
            self._count("taken")
            frame = frame.replace(b'"crossed":false', b'"crossed":true')
        sent = [(0.0, frame)]
        if key.user and plan.reorder_user_frames:
            self._count("reordered")
            sent = [(self._stray_s(), frame)]
        if key.user and plan.duplicate_user_frames:
            self._count("duplicated")
            sent.append((self._stray_s(), frame))
        return sent

    def list_of(self, kind: object, rows: object) -> object:
        """An answer of ``/info`` as this plan lets it be seen."""
        if kind in FILL_LISTS and isinstance(rows, list):
            if self.plan.hide_fills:
                return []
            if self.plan.taker_fills:
                return [row | {"crossed": True} for row in rows]
        return rows

    def shown(self) -> Json:
        """The plan, and how often each kind has happened since the start."""
        plan = msgspec.to_builtins(self.plan)
        assert isinstance(plan, dict)
        return plan | {"happened": dict(self.happened)}

    def _stray_s(self) -> float:
        return self._chance.uniform(0.0, STRAY_S)

    def _count(self, kind: str, happens: bool = True) -> None:
        if happens:
            self.happened[kind] += 1


def _crossed(frame: bytes) -> bytes:
    """The same touch with the prices of its sides exchanged."""
    decoded = msgspec.json.decode(frame)
    bid, ask = decoded["data"]["bbo"]
    if bid is not None and ask is not None:
        bid["px"], ask["px"] = ask["px"], bid["px"]
    return msgspec.json.encode(decoded)


def read_plan(raw: bytes) -> Plan:
    """The plan of a request body. Raises ValueError with what is wrong with it."""
    try:
        return msgspec.json.decode(raw, type=Plan)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"faults: {error}") from error
