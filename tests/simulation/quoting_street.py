"""Five engines on one embedded exchange with lively flow and a venue's delays, and nothing wrong.

What the engine's world proves with faults, this one measures without: how much of the time each
market shows a clip near the mid on each side, as the venue has it, and at what cost in requests.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from agents.commands import AskOpenOrders, AskOrder, Cancel, Command, Place
from agents.engine import Engine
from agents.events import (
    AssetCtx,
    Bbo,
    CancelAnswered,
    DirectiveReceived,
    Event,
    Fills,
    OpenOrders,
    OrderStatus,
    PlaceAnswered,
    PositionSeen,
    Tick,
    Trades,
)
from agents.exchange.codec import (
    decode_cancel_answer,
    decode_order_answer,
    encode_cancel,
)
from agents.exchange.codec_account import to_fill, to_live, to_update
from agents.exchange.downstream import DirectiveFrame, LeaseFrame, LimitsFrame, OpenState
from agents.exchange.wire_account import FrontendOrder, OrderStatusWire, OrderUpdateWire, WsFill
from agents.market.types import Coin, Side, Tid, Trade
from agents.market.units import BPS, NS_PER_MS, NS_PER_S
from agents.runtime.outbound import encode_orders
from agents.settings import MarketSettings, RiskSettings, StrategySettings
from agents.sim.exchange import Exchange
from agents.sim.flow import Flow
from agents.sim.latency import Delays, Latency
from agents.sim.market import Market
from agents.sim.outputs import Answered, FillRow, OrderRow, Printed, TouchChanged
from agents.sim.universe import DexSpec, Universe, default_universe

USER = "0x" + "ab" * 20
START_MS = 1_750_000_000_000
BLOCK_MS = 70
MARGIN_USD = {"BTC": 5_000.0, "ETH": 4_000.0, "SOL": 3_000.0, "hyna:BTC": 2_000.0,
              "xyz:NVDA": 2_000.0}  # fmt: skip
LEVERAGE = 3
STRATEGY = StrategySettings(half_spread_floor_bps=2.0, clip_usd=400.0)
UPTIME_MAX_BPS = 10.0
CLIP_SHARE = 0.95


class _Venue(Exchange):
    def market(self, coin: Coin) -> Market:
        """What synthetic flow looks at."""
        return self.floor.markets[coin]


@dataclass
class Desk:
    """One market: its engine, and what was counted outside of it."""

    coin: Coin
    engine: Engine
    asset_id: int
    due_s: float = 0.0
    up_s: float = 0.0
    actions: int = 0
    orders_sent: int = 0
    cancels_sent: int = 0
    fills: int = 0
    volume_usd: float = 0.0
    cash_usd: float = 0.0

    @property
    def uptime_share(self) -> float:
        return self.up_s / self.due_s if self.due_s else 0.0


class Street:
    """The heap, the venue, and a desk a market."""

    def __init__(
        self,
        seed: int,
        *,
        strategy: StrategySettings = STRATEGY,
        latency: Latency | None = None,
        markets: tuple[str, ...] = tuple(MARGIN_USD),
    ) -> None:
        self.now_ns = START_MS * NS_PER_MS
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._pushed = 0
        self._delays = Delays(latency or Latency(), random.Random(seed))
        self._feed_ns: dict[Coin, int] = {}
        universe = _universe(markets)
        self.exchange = _Venue(universe)
        self.exchange.fund(USER, Decimal(1_000_000))
        self.flow = Flow(universe, random.Random(seed + 1), "lively")
        self.account = self.exchange.floor.account(USER)
        self._tickets: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._nonce = START_MS
        self.desks = {
            coin: Desk(coin, Engine(_lease(universe, coin, strategy), self.now_ns),
                       universe.instrument(coin).asset_id)
            for coin in universe.coins()
        }  # fmt: skip
        for start in (self._block, self._tick, self._second):
            self._at(0, start)

    @property
    def now_ms(self) -> int:
        return self.now_ns // NS_PER_MS

    def run(self, seconds: float) -> None:
        until_ns = self.now_ns + round(seconds * NS_PER_S)
        while self._heap and self._heap[0][0] <= until_ns:
            self.now_ns, _, happen = heapq.heappop(self._heap)
            happen()
        self.now_ns = until_ns

    def pnl_usd(self, coin: Coin) -> float:
        """Of one market, its position at the flow's fair price."""
        return (
            self.desks[coin].cash_usd + float(self._position_sz(coin)) * self.flow.prices.px[coin]
        )

    # ── inside ───────────────────────────────────────────────────────────────────────────────

    def _at(self, delay_ns: int, happen: Callable[[], None]) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (self.now_ns + delay_ns, self._pushed, happen))

    def _tell(self, desk: Desk, event: Event) -> None:
        for command in desk.engine.handle(event, self.now_ns):
            self._carry_out(desk, command)

    def _feed(self, coin: Coin, event: Event) -> None:
        """Late, and in the order it happened: one connection carries it."""
        due_ns = self.now_ns + round(self._delays.feed_s() * NS_PER_S)
        due_ns = max(due_ns, self._feed_ns.get(coin, 0))
        self._feed_ns[coin] = due_ns
        self._at(due_ns - self.now_ns, lambda: self._tell(self.desks[coin], event))

    def _block(self) -> None:
        self.exchange.begin(self.now_ms)
        self.flow.step(self.exchange, self.now_ms)
        for output in self.exchange.block(self.now_ms):
            match output:
                case Answered(ticket=ticket, payload=payload):
                    self._tickets.pop(ticket)(payload)
                case Printed(coin=coin, trades=trades):
                    rows = tuple(
                        Trade(
                            coin=row.coin,
                            side=Side(row.side),
                            px=float(row.px),
                            sz=float(row.sz),
                            time_ms=row.time,
                            tid=Tid(row.tid),
                        )
                        for row in trades
                    )
                    self._feed(coin, Trades(trades=rows))
                case TouchChanged(coin=coin):
                    self._feed(coin, msgspec.convert(self.exchange.bbo(coin), Bbo, strict=False))
                case OrderRow(row=row):
                    wire = msgspec.convert(row, OrderUpdateWire, strict=False)
                    self._feed(wire.order.coin, to_update(wire))
                case FillRow(row=row):
                    self._fill(row)
                case _:
                    pass
        for desk in self.desks.values():
            self._account(desk)
        self._at(BLOCK_MS * NS_PER_MS, self._block)

    def _fill(self, row: dict[str, Any]) -> None:
        fill = to_fill(msgspec.convert(row, WsFill, strict=False))
        desk = self.desks[fill.coin]
        desk.fills += 1
        desk.volume_usd += float(fill.px * fill.sz)
        desk.cash_usd -= float(fill.side.sign * fill.px * fill.sz + fill.fee)
        self._feed(fill.coin, Fills(fills=(fill,)))
        seen = PositionSeen(self.now_ms, self._position_sz(fill.coin), None)
        self._feed(fill.coin, seen)

    def _position_sz(self, coin: Coin) -> Decimal:
        dex = coin.rpartition(":")[0]
        held = self.account.clearing(dex).positions.get(coin)
        return Decimal(0) if held is None else held.szi

    def _account(self, desk: Desk) -> None:
        """The contract's measure, on the venue's own book: a clip a side near the mid."""
        state = desk.engine.state
        if state.pricing is None or not state.uptime.due:
            return
        desk.due_s += BLOCK_MS / 1_000
        touch = self.exchange.market(desk.coin).touch()
        if touch[0] is None or touch[1] is None:
            return
        mid_px = float(touch[0].px + touch[1].px) / 2
        quoting = state.pricing.quoting
        band_px = mid_px / BPS * min(2 * quoting.half_spread.total_bps, UPTIME_MAX_BPS)
        clip_sz = float(quoting.clip_sz)
        limit_sz = state.position_max_usd / mid_px
        resting = [o.order for o in self.account.open.values() if o.coin == desk.coin]
        for side in Side:
            if limit_sz - side.sign * float(self._position_sz(desk.coin)) < clip_sz:
                continue
            near = [o for o in resting if o.side is side and abs(float(o.px) - mid_px) <= band_px]
            if sum(float(o.sz) for o in near) < CLIP_SHARE * clip_sz:
                return
        desk.up_s += BLOCK_MS / 1_000

    def _submit(self, action: object, read: Callable[[bytes], Event], desk: Desk) -> None:
        sent_ms = self.now_ms

        def done(payload: dict[str, Any]) -> None:
            answer = read(msgspec.json.encode(payload))
            self._at(round(self._delays.answer_s() * NS_PER_S), lambda: self._tell(desk, answer))

        def arrive() -> None:
            self._nonce += 1
            self._tickets[self._nonce] = done
            self.exchange.submit(
                self._nonce,
                USER,
                msgspec.to_builtins(action),
                self._nonce,
                expires_after_ms=sent_ms + 5_000,
            )

        self._at(round(self._delays.request_s() * NS_PER_S), arrive)

    def _carry_out(self, desk: Desk, command: Command) -> None:
        match command:
            case Place():
                desk.actions += 1
                desk.orders_sent += len(command.orders)
                count = len(command.orders)
                self._submit(
                    encode_orders(command.orders, desk.asset_id),
                    lambda raw: PlaceAnswered(command.request_id, decode_order_answer(raw, count)),
                    desk,
                )
            case Cancel():
                desk.actions += 1
                desk.cancels_sent += len(command.cloids)
                wanted = len(command.cloids)
                self._submit(
                    encode_cancel(command.cloids, desk.asset_id),
                    lambda raw: CancelAnswered(
                        command.request_id, decode_cancel_answer(raw, wanted)
                    ),
                    desk,
                )
            case AskOpenOrders() | AskOrder():
                self._ask(desk, command)
            case _:
                pass

    def _ask(self, desk: Desk, command: AskOpenOrders | AskOrder) -> None:
        asked_ns = self.now_ns
        dex = desk.coin.rpartition(":")[0]

        def look() -> None:
            event: Event
            if isinstance(command, AskOpenOrders):
                request = {"type": "frontendOpenOrders", "user": USER, "dex": dex}
                rows = self.exchange.info(request, self.now_ms)
                found = msgspec.convert(rows, tuple[FrontendOrder, ...], strict=False)
                own = tuple(to_live(row) for row in found if row.coin == desk.coin)
                event = OpenOrders(command.request_id, asked_ns, own)
            else:
                request = {"type": "orderStatus", "user": USER, "oid": command.cloid}
                row = msgspec.convert(
                    self.exchange.info(request, self.now_ms), OrderStatusWire, strict=False
                ).order
                event = OrderStatus(
                    cloid=command.cloid,
                    requested_ns=asked_ns,
                    status=None if row is None else row.status,
                    oid=None if row is None else row.order.oid,
                    remaining_sz=None if row is None else row.order.sz,
                )
            self._at(round(self._delays.answer_s() * NS_PER_S), lambda: self._tell(desk, event))

        self._at(round(self._delays.request_s() * NS_PER_S), look)

    def _tick(self) -> None:
        for desk in self.desks.values():
            self._tell(desk, Tick())
        self._at(100 * NS_PER_MS, self._tick)

    def _second(self) -> None:
        for coin, desk in self.desks.items():
            word = DirectiveReceived(seq=self.now_ms, as_of_ms=self.now_ms, mode="normal")
            self._tell(desk, word)
            px = self.flow.prices.px[coin]
            self._feed(coin, AssetCtx(coin=coin, mark_px=px, oracle_px=px, funding_per_h=0.0))
        self._at(NS_PER_S, self._second)


def _universe(markets: tuple[str, ...]) -> Universe:
    full = default_universe()
    return Universe(
        DexSpec(
            name=dex.name,
            full_name=dex.full_name,
            token=dex.token,
            deployer=dex.deployer,
            assets=tuple(asset for asset in dex.assets if asset.name in markets),
        )
        for dex in full.dexes
    )


def _lease(universe: Universe, coin: Coin, strategy: StrategySettings) -> LeaseFrame:
    margin_usd = MARGIN_USD[coin]
    limit_usd = margin_usd * LEVERAGE
    number = list(universe.coins()).index(coin) + 1
    return LeaseFrame(
        generation=1,
        deadline_ms=START_MS + 5_000,
        lease_ms=5_000,
        renew_ms=500,
        revision=1,
        settings=MarketSettings(
            market=coin,
            margin_usd=margin_usd,
            leverage=LEVERAGE,
            risk=RiskSettings(position_max_usd=limit_usd, daily_loss_max_usd=1_000.0),
            strategy=strategy,
        ),
        limits=LimitsFrame(position_max_usd=limit_usd),
        instrument=universe.instrument(coin),
        cloid_prefix=f"f1ee7{number:011x}0001",
        state=OpenState(as_of_ms=START_MS, position_sz=Decimal(0), entry_px=None),
        pnl_day_usd=0.0,
        directive=DirectiveFrame(seq=1, as_of_ms=START_MS, mode="normal"),
        replaces=True,
    )
