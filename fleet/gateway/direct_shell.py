"""The halt without a gateway: the same machine (``fleet.gateway.core``) over plain HTTP.

What the core asks for and this process must not do is left out: it places nothing, tells no agent
and writes no file but the latch, which is there before it begins. A gateway may live beside it.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from agents.exchange.codec import decode_info
from agents.exchange.errors import ExchangeError, OutcomeUnknown, RateLimited, Unreachable
from agents.exchange.http import Http
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.exchange.wire import Action, ClearinghouseState, NoopAction, OrderWire, placed
from agents.market.units import MS_PER_S, NS_PER_MS
from fleet.gateway.api import HaltReport, HaltRequest
from fleet.gateway.core import answers, sweeps, venue
from fleet.gateway.core.control import Halt
from fleet.gateway.core.effects import Ask, Effect, Submit
from fleet.gateway.core.state import FLEET, State
from fleet.gateway.direct_beside import Beside
from fleet.gateway.direct_pace import CANCELS_LONGEST_MS, Pace
from fleet.gateway.framing import read_records
from fleet.gateway.reconcile import learn
from fleet.gateway.records import Answered, Sent
from fleet.gateway.recover import in_flight

TURN_S: Final = 0.05
ANSWER_S: Final = 3.0
REPEAT_S: Final = 0.5
LOOK_EVERY_MS: Final = 1_000
_LOG_TAIL: Final = 2

Say = Callable[..., None]


class Late:
    """What a living gateway writes into its log while we halt: placements already under way."""

    def __init__(self, actions: Path) -> None:
        self._actions = actions
        self._read = {path: path.stat().st_size for path in self._segments()}

    def _segments(self) -> list[Path]:
        found = [path for path in self._actions.glob("*.log") if path.stem.isdecimal()]
        return sorted(found, key=lambda path: int(path.stem))[-_LOG_TAIL:]

    def take(self, state: State) -> bool:
        """Count what is new; True if a placement was among it."""
        found = False
        for path in self._segments():
            try:
                for offset, record in read_records(path, self._read.get(path, 0)):
                    self._read[path] = offset
                    body, wall_ms = record.body, record.wall_ns // NS_PER_MS
                    if isinstance(body, Sent):
                        action = msgspec.json.decode(body.action, type=Action)
                        orders = placed(action)
                        if orders and _unknown(state, orders):
                            in_flight(state, body, orders, wall_ms)
                            found = True
                    elif isinstance(body, Answered):
                        state.orders.processed(body.nonce, wall_ms)
            except (OSError, msgspec.MsgspecError):
                continue  # a record being written, a segment pruned: the next look tells
        return found


def _unknown(state: State, orders: tuple[OrderWire, ...]) -> bool:
    return all(wire.c not in state.orders.by_cloid for wire in orders)


class Shell:
    """One halt; ``run`` it once.

    ``voids``: the key is that of who placed. Nonces are counted by signer: a noop of another wallet
    under a placement's nonce would be taken, and would void nothing; what is under way is waited
    for then, until the venue's time is past its expiry.
    """

    voids = True

    def __init__(
        self, state: State, signer: L1Signer, late: Late, beside: Beside, say: Say
    ) -> None:
        self.state = state
        self._signer, self._late, self._beside, self._say = signer, late, beside, say
        self._http = Http(state.identity.url)
        self._asking = Pace(random.random)
        self._sending = Pace(random.random, CANCELS_LONGEST_MS)
        self._known: dict[bytes, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._looked_ms = 0
        self._told = ""

    def now_ms(self) -> int:
        return (self._epoch_ns + time.monotonic_ns()) // NS_PER_MS

    async def run(self, request: HaltRequest, patience_s: float) -> HaltReport:
        """Until it is proven or the patience is over. ``Unreachable``: the venue never answered."""
        halt = Halt(request, self.now_ms())
        until_s = time.monotonic() + patience_s
        settling = asyncio.create_task(self._beside.settle())
        try:
            await self._learn(until_s)
            settled = settling.done()
            self._carry(halt.begin(self.state, self.now_ms()))
            clearing = self.state.clearings[FLEET]
            clearing.held = not settled
            for dex in self.state.dexes():
                self._spawn(self._look(dex))
            while time.monotonic() < until_s:
                await asyncio.sleep(TURN_S)
                # Nobody signs from here on: what was logged until now is all there will be.
                only_now, settled = settling.done() and not settled, settling.done()
                clearing.held = not settled
                if self._late.take(self.state) or only_now:
                    clearing.again()
                if clearing.done and settled:
                    break
                self._turn()
            await asyncio.gather(*map(self._look, self.state.dexes()))
            report = halt.report(self.state)
            alone = settled and settling.result()
            return report if alone else msgspec.structs.replace(report, flat_of_orders=False)
        finally:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._http.close()

    async def _learn(self, until_s: float) -> None:
        """Every DEX and every market's number: without these no order can be named."""
        while self.state.registry is None:
            try:
                async with asyncio.timeout(max(until_s - time.monotonic(), 0.0)):
                    self.state.registry = await learn(self, None)
            except (ExchangeError, TimeoutError) as error:
                self._tell(str(error) or "no answer")
                if time.monotonic() + REPEAT_S > until_s:
                    url = self.state.identity.url
                    raise Unreachable(f"the venue at {url} is out of reach: {error}") from error
                wait_s = max(self._asking.left_ms(self.now_ms()) / MS_PER_S, REPEAT_S)
                await asyncio.sleep(min(wait_s, max(until_s - time.monotonic(), 0.0)))

    async def info_raw(self, request: dict[str, Any], /) -> bytes:
        """What the venue lists: what it has answered once is not asked for again."""
        key = msgspec.json.encode(request)
        if key not in self._known:
            self._known[key] = await self._info(request)
        return self._known[key]

    async def _info(self, request: dict[str, Any]) -> bytes:
        try:
            raw = await self._http.info_raw(request)
        except RateLimited:
            self._asking.limited(self.now_ms())
            raise
        self._asking.answered(self.now_ms())
        return raw

    def _turn(self) -> None:
        now_ms = self.now_ms()
        state = self.state
        state.orders.expire(state.clock.venue_ms(now_ms), now_ms)
        self._carry(sweeps.step(state, FLEET, now_ms))
        if state.orders.unresolved and now_ms - self._looked_ms >= LOOK_EVERY_MS:
            self._looked_ms = now_ms  # what expires does so by the venue's time
            self._spawn(self._look(""))

    async def _look(self, dex: str) -> None:
        """One DEX's positions, and with them the venue's time."""
        user = self.state.identity.address
        if self._asking.holds(self.now_ms()):
            return
        try:
            async with asyncio.timeout(ANSWER_S):
                raw = await self._info({"type": "clearinghouseState", "user": user, "dex": dex})
            venue.take_account(self.state, dex, decode_info(raw, ClearinghouseState), self.now_ms())
        except (ExchangeError, TimeoutError) as error:
            self._tell(str(error) or "no answer")

    # ── effects ──────────────────────────────────────────────────────────────────────────────

    def _carry(self, effects: Iterable[Effect]) -> None:
        for effect in list(effects):
            match effect:
                case Submit(action=NoopAction()) if not self.voids:
                    self._not_now(effect.request)
                case Submit(placement=False, action=action) if not placed(action):
                    if self._sending.holds(self.now_ms()):
                        self._not_now(effect.request)
                    else:
                        self._spawn(self._submit(effect))
                case Submit():  # the latch is set, and this process places nothing whatever
                    why = "halted"
                    self._carry(answers.not_sent(self.state, effect.request, "fenced", why))
                case Ask():
                    if self._asking.holds(self.now_ms()):
                        self._carry(answers.unanswered(self.state, effect.request, self.now_ms()))
                    else:
                        self._spawn(self._ask(effect))
                case _:
                    pass  # for agents, or for the log: the gateway's

    def _not_now(self, request: int) -> None:
        self._carry(answers.not_sent(self.state, request, "throttle", "the venue limits us"))

    async def _submit(self, effect: Submit) -> None:
        signature = self._signer.sign(
            pack(effect.action), effect.nonce, expires_after_ms=effect.expires_ms
        )
        body = exchange_body(effect.action, effect.nonce, signature, effect.expires_ms)
        state, request = self.state, effect.request
        try:
            async with asyncio.timeout(ANSWER_S):
                raw = await self._http.exchange(msgspec.json.encode(body))
            self._sending.answered(self.now_ms())
            self._carry(answers.action(state, request, msgspec.Raw(raw), self.now_ms()))
        except (OutcomeUnknown, TimeoutError):
            self._carry(answers.unanswered(state, request, self.now_ms()))
        except (ExchangeError, msgspec.MsgspecError) as error:
            if isinstance(error, RateLimited):
                self._sending.limited(self.now_ms())
            self._tell(str(error))
            self._carry(answers.not_sent(state, request, "link_down", str(error)))

    async def _ask(self, effect: Ask) -> None:
        state, request = self.state, effect.request
        try:
            async with asyncio.timeout(ANSWER_S):
                raw = await self._info(dict(effect.payload))
            self._carry(answers.info(state, request, raw, self.now_ms()))
        except (ExchangeError, msgspec.MsgspecError, TimeoutError) as error:
            self._tell(str(error) or "no answer")
            self._carry(answers.unanswered(state, request, self.now_ms()))

    def _tell(self, text: str) -> None:
        """Once for each new trouble."""
        if text != self._told:
            self._told = text
            self._say(text)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
