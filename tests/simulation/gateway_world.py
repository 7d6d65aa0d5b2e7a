"""The gateway's core against the exchange itself, in one thread, over a network that misbehaves."""

import heapq
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from agents.exchange.codec import decode_info
from agents.exchange.registry import Registry
from agents.exchange.wire import Meta, NoopAction, OrderAction, PerpDex, SpotMeta
from agents.market.types import Side
from agents.settings import MarketSettings, RiskSettings
from agents.sim.exchange import Exchange
from agents.sim.market import RestingOrder
from agents.sim.outputs import AccountChanged, Answered, FillRow, OrderRow
from agents.sim.universe import default_universe
from fleet.gateway.api import DirectivesPut, MarketPut
from fleet.gateway.core import control
from fleet.gateway.core.cloids import parse
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import Alert, Ask, Cut, Effect, Record, Submit, Tell
from fleet.gateway.core.state import Identity, State
from fleet.gateway.records import Body

if TYPE_CHECKING:
    from tests.simulation.gateway_agent import Agent

ADDRESS = "0x" + "ab" * 20
TOKEN = "token"
START_MS = 1_795_000_000_000
BLOCK_MS = 70
LIMIT_USD = 3_000.0


class Faults(msgspec.Struct):
    """Shares of what is lost, and how long placements are held back, ms."""

    lost_requests: float = 0.0
    lost_answers: float = 0.0
    held_ms: int = 0


class World:
    """One heap of events; equal seeds, equal histories."""

    def __init__(self, seed: int, markets: tuple[str, ...] = ("BTC", "hyna:BTC")) -> None:
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        self.markets = markets
        self.faults = Faults()
        self.exchange = Exchange(default_universe())
        self.exchange.fund(ADDRESS, Decimal(1_000_000))
        self.core = Core(fresh_state())
        self.sent: list[Submit] = []
        self.records: list[Body] = []
        self.alerts: list[Alert] = []
        self.agents: dict[int, Agent] = {}
        self.mids: dict[str, Decimal] = {}
        self.on_the_way: dict[int, Submit] = {}
        self.invariant: Callable[[], None] = lambda: None
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._feed_free_ms = 0
        self._begin()

    @property
    def state(self) -> State:
        return self.core.state

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    def at(self, at_ms: int, run: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._heap, (max(at_ms, self.now_ms), self._number, run))

    def after(self, delay_ms: int, run: Callable[[], None]) -> None:
        self.at(self.now_ms + delay_ms, run)

    def every(self, period_ms: int, run: Callable[[], None]) -> None:
        def again() -> None:
            run()
            self.after(period_ms, again)

        self.after(period_ms, again)

    def run(self, for_ms: int) -> None:
        until_ms = self.now_ms + for_ms
        while self._heap and self._heap[0][0] <= until_ms:
            self.now_ms, _, run = heapq.heappop(self._heap)
            run()
            self.invariant()
        self.now_ms = until_ms

    def run_until(self, holds: Callable[[], bool], within_ms: int) -> int:
        """How long it took."""
        began_ms = self.now_ms
        while not holds():
            assert self.now_ms - began_ms < within_ms, "not reached in time"
            self.run(10)
        return self.now_ms - began_ms

    # ── the gateway's shell ──────────────────────────────────────────────────────────────────

    def do(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Submit():
                    self._submit(effect)
                case Ask():
                    self._ask(effect)
                case Tell(session=session, data=data):
                    agent = self.agents.get(session)
                    if agent is not None:
                        agent.told(data)
                case Cut(session=session):
                    self.after(1, lambda gone=session: self.disconnect(gone))  # type: ignore[misc]
                case Record(body=body):
                    self.records.append(body)
                case Alert():
                    self.alerts.append(effect)
                case _:
                    pass

    def disconnect(self, session: int) -> None:
        if self.agents.pop(session, None) is not None:
            self.do(self.core.closed(session, self.now_ms))

    def _delay_ms(self) -> int:
        return round(self.rng.lognormvariate(4.0, 0.5))  # median 55 ms, sometimes 300

    def _submit(self, effect: Submit) -> None:
        self.sent.append(effect)
        if self.rng.random() < self.faults.lost_requests:
            return
        if effect.placement:
            self.on_the_way[effect.request] = effect
        held_ms = self.faults.held_ms if effect.placement else 0
        self.after(self._delay_ms() + held_ms, lambda: self._arrive(effect))

    def _settled(self, request: int, payload: dict[str, Any]) -> None:
        """The venue took it; a noop that it took has voided the placement of the same nonce."""
        self.on_the_way.pop(request, None)
        voids = {
            s.nonce for s in self.sent if s.request == request and isinstance(s.action, NoopAction)
        }
        if payload["status"] == "ok" and voids:
            for waiting in [r for r, s in self.on_the_way.items() if s.nonce in voids]:
                del self.on_the_way[waiting]

    def _arrive(self, effect: Submit) -> None:
        action: dict[str, Any] = msgspec.to_builtins(effect.action)
        self.exchange.submit(
            effect.request, ADDRESS, action, effect.nonce, expires_after_ms=effect.expires_ms
        )

    def _ask(self, effect: Ask) -> None:
        if self.rng.random() < self.faults.lost_requests:
            return

        def answer() -> None:
            data = self.exchange.info(effect.payload, self.now_ms)
            payload = {"type": effect.payload["type"], "data": data}
            self._post_frame(effect.request, "info", payload)

        self.after(self._delay_ms(), answer)

    def _post_frame(self, request: int, kind: str, payload: object) -> None:
        if self.rng.random() < self.faults.lost_answers:
            return
        data = {"id": request, "response": {"type": kind, "payload": payload}}
        raw = msgspec.json.encode({"channel": "post", "data": data})
        self.after(self._delay_ms(), lambda: self.frame(raw))

    def frame(self, raw: bytes) -> None:
        self.do(self.core.venue_frame(raw, self.now_ms))

    # ── the venue ────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        self._make_books()
        self.core.learned(self._registry())
        for dex in self.state.dexes():
            self._account_frames(dex, orders=True)
        self._market_frames()
        self.run(1_000)
        self.do(self.core.link_up(self.now_ms))
        for market in self.markets:
            risk = RiskSettings(position_max_usd=LIMIT_USD, daily_loss_max_usd=100.0)
            settings = MarketSettings(market=market, margin_usd=1_000.0, leverage=3, risk=risk)  # type: ignore[arg-type]
            put = MarketPut(revision=1, settings=settings)
            self.do(control.put_market(self.state, market, put))
        self._direct()
        self.every(BLOCK_MS, self._block)
        self.every(50, lambda: self.do(self.core.tick(self.now_ms)))
        self.every(1_000, self._direct)
        self.every(500, self._market_frames)
        self.every(5_000, self._heartbeat)

    def _heartbeat(self) -> None:
        for dex in self.state.dexes():
            self._account_frames(dex, orders=True)

    def _direct(self) -> None:
        put = DirectivesPut(
            seq=self.now_ms, as_of_ms=self.now_ms, state="normal", reason="", directives={}
        )
        self.do(control.put_directives(self.state, put))

    def _make_books(self) -> None:
        self.exchange.begin(self.now_ms)
        for market in self.markets:
            instrument = self.exchange.universe.instrument(market)  # type: ignore[arg-type]
            mid = Decimal(str(self.exchange.ctx(market)["markPx"]))  # type: ignore[arg-type]
            self.mids[market] = mid
            for side, factor in ((Side.BID, "0.999"), (Side.ASK, "1.001")):
                px = instrument.passive_px(mid * Decimal(factor), side)
                self._flow(market, side, px, Decimal(100))
        self.exchange.block(self.now_ms)

    def _flow(self, market: str, side: Side, px: Decimal, sz: Decimal, tif: str = "Gtc") -> None:
        order = RestingOrder(
            oid=self.exchange.next_oid(), owner="flow", side=side, px=px, sz=sz, orig_sz=sz,
            placed_ms=self.now_ms, tif=tif,  # type: ignore[arg-type]
        )  # fmt: skip
        self.exchange.place_flow(market, order)  # type: ignore[arg-type]

    def _market_frames(self) -> None:
        for market, mid in self.mids.items():
            px = float(mid)
            ctx = {"markPx": str(px), "oraclePx": str(px), "funding": "0.0", "midPx": str(px)}
            self.frame(_json("activeAssetCtx", {"coin": market, "ctx": ctx}))
            self.frame(_json("bbo", self.exchange.bbo(market)))  # type: ignore[arg-type]

    def _registry(self) -> Registry:
        def ask(kind: Any, **request: object) -> Any:
            raw = msgspec.json.encode(self.exchange.info(request, self.now_ms))
            return decode_info(raw, kind)

        dexs = ask(tuple[PerpDex | None, ...], type="perpDexs")
        names = ["", *(row.name for row in dexs if row is not None)]
        metas = {name: ask(Meta, type="meta", dex=name) for name in names}
        spot = ask(SpotMeta, type="spotMeta")
        return Registry.build(dexs, metas, spot, Decimal("0.00015"), Decimal("0.00045"))

    def _block(self) -> None:
        self.exchange.begin(self.now_ms)
        for market, mid in self.mids.items():
            if self.rng.random() < 0.05:  # somebody takes what is nearest
                side = self.rng.choice((Side.BID, Side.ASK))
                px = mid * (Decimal("1.0009") if side is Side.BID else Decimal("0.9991"))
                instrument = self.exchange.universe.instrument(market)  # type: ignore[arg-type]
                px = instrument.passive_px(px, side)
                self._flow(market, side, px, Decimal("0.002"), tif="Ioc")
        changed: dict[str, bool] = {}
        rows: list[tuple[str, object]] = []
        for output in self.exchange.block(self.now_ms):
            match output:
                case Answered(ticket=ticket, payload=payload):
                    self._settled(ticket, payload)
                    self._post_frame(ticket, "action", payload)
                case OrderRow(row=row):
                    rows.append(("orderUpdates", [row]))
                case FillRow(row=row):
                    rows.append(("userFills", {"user": ADDRESS, "fills": [row]}))
                case AccountChanged(dex=dex, orders=orders):
                    changed[dex] = changed.get(dex, False) or orders
                case _:
                    pass
        for channel, data in rows:
            self._feed(_json(channel, data))
        for dex, orders in changed.items():
            self._account_frames(dex, orders=orders)

    def _feed(self, raw: bytes) -> None:
        """The account's feed keeps its order, whatever each frame's delay."""
        self._feed_free_ms = max(self._feed_free_ms, self.now_ms + self._delay_ms())
        self.at(self._feed_free_ms, lambda: self.frame(raw))

    def _account_frames(self, dex: str, *, orders: bool) -> None:
        user = {"user": ADDRESS, "dex": dex}
        state = self.exchange.info({"type": "clearinghouseState", **user}, self.now_ms)
        self._feed(_json("clearinghouseState", {**user, "clearinghouseState": state}))
        if orders:
            rows = self.exchange.info({"type": "frontendOpenOrders", **user}, self.now_ms)
            self._feed(_json("openOrders", {**user, "orders": rows}))

    # ── the truth ────────────────────────────────────────────────────────────────────────────

    def resting(self, market: str | None = None) -> list[dict[str, Any]]:
        """Our orders at the venue itself."""
        rows: list[dict[str, Any]] = []
        for dex in self.state.dexes():
            request = {"type": "frontendOpenOrders", "user": ADDRESS, "dex": dex}
            answer: Any = self.exchange.info(request, self.now_ms)
            rows += [row for row in answer if market in {None, row["coin"]}]
        return rows

    def position_sz(self, market: str) -> Decimal:
        dex = market.partition(":")[0] if ":" in market else ""
        request = {"type": "clearinghouseState", "user": ADDRESS, "dex": dex}
        answer: Any = self.exchange.info(request, self.now_ms)
        for row in answer["assetPositions"]:
            if row["position"]["coin"] == market:
                return Decimal(row["position"]["szi"])
        return Decimal(0)

    def worst_usd(self, market: str) -> float:
        """The larger side's position if everything that may still be executed is, at the mark."""
        position_sz = self.position_sz(market)
        sides = {"B": position_sz, "A": -position_sz}
        for row in self.resting(market):
            sides[row["side"]] += Decimal(row["sz"])
        for submit in self.on_the_way.values():
            assert isinstance(submit.action, OrderAction)
            for order in submit.action.orders if submit.market == market else ():
                sides["B" if order.b else "A"] += Decimal(order.s)
        return float(max(sides.values()) * self.mids[market])

    def check_nonces(self) -> None:
        """Strictly rising; only a noop may use one again."""
        fresh = [s.nonce for s in self.sent if not isinstance(s.action, NoopAction)]
        assert fresh == sorted(set(fresh))


def fresh_state() -> State:
    identity = Identity(
        fleet="sim", network="paper", url="http://localhost", address=ADDRESS, instance="abc123",
        build="sim", token=TOKEN, created_ms=START_MS - 1,
    )  # fmt: skip
    return State(identity, leases={}, limits={}, latch=None, last_nonce=0)


def generations(rows: list[dict[str, Any]]) -> set[int]:
    found = {parse(row["cloid"]) for row in rows}
    return {origin.generation for origin in found if origin is not None}


def _json(channel: str, data: object) -> bytes:
    return msgspec.json.encode({"channel": channel, "data": data})
