"""A fleet of engines on the embedded exchange, with the risk actor's own rounds between them.

A block is two seconds. What an engine decides reaches the exchange with the next block, after that
block's flow, and its answer and fills come with the block's other data; a fill is told to all
engines as the gateway does. The exchange rations requests as the venue does. Covariances are
estimated from prices as the risk actor samples them, and the rows of Gamma from what engines
report: nothing is known to anybody that would not be known live.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

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
    GammaRowReceived,
    HoldingsSeen,
    LiveOrder,
    OpenOrders,
    OrderResult,
    OrderStatus,
    PlaceAnswered,
    PositionSeen,
    SkewSolved,
    Tick,
    Trades,
)
from agents.exchange.codec import (
    UserFills,
    decode_cancel_answer,
    decode_frame,
    decode_order_answer,
    encode_cancel,
    encode_place,
)
from agents.exchange.errors import Rejected
from agents.market.types import Cloid, Coin, Level, Oid, Side, Trade
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.portfolio import Holdings
from agents.sim.exchange import Exchange
from agents.sim.outputs import Answered, FillRow, Printed
from agents.strategy.exact import solve
from fleet.backtest.shared_flow import SharedFlow
from fleet.gateway.api import AllowanceView, DexView, GatewayStatus, LeaseView, MarketView, RiskView
from fleet.manifests.spec import FleetRisk
from fleet.risk.covariance import SAMPLE_MS, Seen
from fleet.risk.rounds import Rounds

BLOCK_S: Final = 2
CTX_S: Final = 2
ROUND_S: Final = 6
SAMPLE_S: Final = SAMPLE_MS // 1_000
FREE: Final = AllowanceView(None, None, 0, "unknown", None, None, 0.0, 0.0, 1.0, 0.0, 0.0)
_json = msgspec.json.Encoder().encode


class FleetDesk:
    """``cash_usd`` and ``position_sz`` are booked from the fills; ``equity_usd`` at fair prices;
    ``earned_usd``: what fills were better than the fair price of their moment, less fees.
    """

    def __init__(
        self,
        engines: Mapping[Coin, Engine],
        exchange: Exchange,
        flow: SharedFlow,
        risk: FleetRisk,
        *,
        address: str,
        start_ns: int,
    ) -> None:
        self.now_ns = start_ns
        self.cash_usd = self.earned_usd = 0.0
        self.fills = self.requests = self.refused = 0
        self.position_sz: dict[Coin, Decimal] = dict.fromkeys(engines, Decimal(0))
        self.rounds = Rounds()
        self._engines = dict(engines)
        self._exchange = exchange
        self._flow = flow
        self._risk = risk
        self._address = address
        self._rows: set[str] = set()
        self._waiting: dict[int, tuple[Coin, Command]] = {}
        self._tickets = 0

    @property
    def now_ms(self) -> int:
        return self.now_ns // NS_PER_MS

    @property
    def holdings(self) -> dict[str, float]:
        """USD by market, flat ones left out."""
        px = self._flow.px
        return {coin: float(sz) * px[coin] for coin, sz in self.position_sz.items() if sz}

    @property
    def equity_usd(self) -> float:
        return self.cash_usd + sum(self.holdings.values())

    def watch(self, seconds: int) -> None:
        """Time passes before anybody quotes; the risk actor has been watching the prices."""
        for _ in range(seconds // SAMPLE_S):
            self.now_ns += SAMPLE_S * NS_PER_S
            self._flow.move(float(SAMPLE_S))
            seen = {str(coin): Seen(px, 0) for coin, px in self._flow.px.items()}
            self.rounds.covariance.sample(seen, self.now_ms)

    def block(self) -> None:
        """One block and all that follows from it."""
        self.now_ns += BLOCK_S * NS_PER_S
        self._exchange.begin(self.now_ms)
        self._flow.step(float(BLOCK_S), self.now_ms)
        if self.now_ms // 1_000 % CTX_S == 0:
            self._flow.oracles()
        trades: dict[Coin, list[Trade]] = {}
        filled: list[tuple[Coin, Event]] = []
        for output in self._exchange.block(self.now_ms):
            match output:
                case Answered(ticket=ticket, payload=payload):
                    self._answered(ticket, payload)
                case Printed(coin=coin, trades=prints):
                    trades.setdefault(coin, []).extend(
                        Trade(coin, Side(row.side), float(row.px), float(row.sz), row.time)
                        for row in prints
                    )
                case FillRow(user=user, row=row) if user == self._address:
                    filled.append(self._book(row))
                case _:
                    pass
        for coin, event in filled:
            self._tell(coin, event)
        if filled and self._rows:
            self._broadcast()
        for coin in self._engines:
            self._market(coin, trades.get(coin))
        if self.now_ms // 1_000 % ROUND_S == 0:
            self._round()

    # ── to the engines ───────────────────────────────────────────────────────────────────────

    def _tell(self, coin: Coin, event: Event) -> None:
        for command in self._engines[coin].handle(event, self.now_ns):
            self._carry_out(coin, command)

    def _broadcast(self) -> None:
        event = HoldingsSeen(Holdings(self.now_ms, self.holdings))
        for coin in self._engines:
            self._tell(coin, event)

    def _market(self, coin: Coin, trades: list[Trade] | None) -> None:
        if trades:
            self._tell(coin, Trades(tuple(trades)))
        bid, ask = self._touch(coin)
        self._tell(coin, Bbo(coin, self.now_ms, (bid, ask)))
        if self.now_ms // 1_000 % CTX_S == 0:
            px = self._flow.px[coin]
            self._tell(coin, AssetCtx(coin, px, px, 0.0))
            self._tell(coin, PositionSeen(self.now_ms, self.position_sz[coin]))
        self._tell(coin, Tick())
        problem = self._engines[coin].problem
        if problem is not None:
            self._tell(coin, SkewSolved(solve(problem)))

    def _touch(self, coin: Coin) -> tuple[Level | None, Level | None]:
        bid, ask = self._exchange.floor.markets[coin].touch()
        return tuple(  # type: ignore[return-value]  # two of them
            None if level is None else Level(float(level.px), float(level.sz), 1)
            for level in (bid, ask)
        )

    # ── from the engines ─────────────────────────────────────────────────────────────────────

    def _carry_out(self, coin: Coin, command: Command) -> None:
        asset_id = self._engines[coin].state.instrument.asset_id
        match command:
            case Place(orders=orders):
                self.requests += len(orders)
                self._submit(coin, command, encode_place(orders, asset_id))
            case Cancel(cloids=cloids):
                self.requests += len(cloids)
                self._submit(coin, command, encode_cancel(cloids, asset_id))
            case AskOpenOrders(request_id=request_id):
                self._tell(coin, OpenOrders(request_id, self.now_ns, self._open_orders(coin)))
            case AskOrder(cloid=cloid):
                self._tell(coin, OrderStatus(cloid, self.now_ns, None))
            case _:
                pass

    def _submit(self, coin: Coin, command: Command, action: msgspec.Struct) -> None:
        self._tickets += 1
        self._waiting[self._tickets] = coin, command
        nonce = self.now_ms + self._tickets % 1_000
        self._exchange.submit(self._tickets, self._address, msgspec.to_builtins(action), nonce)

    def _answered(self, ticket: int, payload: dict[str, object]) -> None:
        coin, command = self._waiting.pop(ticket)
        raw = _json(payload)
        if isinstance(command, Place):
            try:
                results = decode_order_answer(raw, len(command.orders))
            except Rejected as error:
                results = (OrderResult("refused", text=str(error)),) * len(command.orders)
            self.refused += sum(result.kind == "refused" for result in results)
            self._tell(coin, PlaceAnswered(command.request_id, results))
        elif isinstance(command, Cancel):
            errors = decode_cancel_answer(raw, len(command.cloids))
            self._tell(coin, CancelAnswered(command.request_id, errors))

    def _book(self, row: dict[str, Any]) -> tuple[Coin, Event]:
        data = {"user": self._address, "fills": [row]}
        frame = decode_frame(_json({"channel": "userFills", "data": data}))
        assert isinstance(frame, UserFills)
        (fill,) = frame.fills
        self.fills += 1
        self.position_sz[fill.coin] += fill.side.sign * fill.sz
        self.cash_usd -= float(fill.side.sign * fill.px * fill.sz + fill.fee)
        edge_px = fill.side.sign * (self._flow.px[fill.coin] - float(fill.px))
        self.earned_usd += edge_px * float(fill.sz) - float(fill.fee)
        return fill.coin, Fills(frame.fills)

    def _open_orders(self, coin: Coin) -> tuple[LiveOrder, ...]:
        rows = self._exchange.info({"type": "openOrders", "user": self._address}, self.now_ms)
        assert isinstance(rows, list)
        return tuple(
            LiveOrder(
                oid=Oid(row["oid"]), cloid=Cloid(row["cloid"]), side=Side(row["side"]),
                px=Decimal(row["limitPx"]), remaining_sz=Decimal(row["sz"]),
                orig_sz=Decimal(row["origSz"]), placed_ms=row["timestamp"],
            )
            for row in rows
            if row["coin"] == coin and row.get("cloid")
        )  # fmt: skip

    # ── the risk actor ───────────────────────────────────────────────────────────────────────

    def _round(self) -> None:
        done = self.rounds.turn(self._status(), self._risk, self.now_ms, self.now_ms)
        for market, row in done.put.gamma_rows.items():
            self._rows.add(market)
            self._tell(Coin(market), GammaRowReceived(row))
        for coin in self._engines:
            told = done.put.directives[coin]
            self._tell(coin, DirectiveReceived(self.now_ms, self.now_ms, told.mode, told.reason))
        if self._rows:
            self._broadcast()

    def _status(self) -> GatewayStatus:
        now_ms = self.now_ms
        equity = Decimal(repr(round(1e6 + self.equity_usd, 2)))
        return GatewayStatus(
            fleet="bench", network="paper", url="", address=self._address, instance="000001",
            build="", as_of_ms=now_ms, link="up", link_since_ms=0, venue_offset_ms=0.0, halt=None,
            dexes=(DexView("", "USDC", 1.0, now_ms, equity, equity, Decimal(0)),),
            markets=tuple(self._view(coin) for coin in self._engines), foreign_orders=0,
            unresolved=0, risk=RiskView(now_ms, now_ms, 0, "normal", "", len(self._rows)),
            ip_weight_used_share=0.0, allowance=FREE, log_seq=0,
            refusals={},
        )  # fmt: skip

    def _view(self, coin: Coin) -> MarketView:
        engine = self._engines[coin]
        bid, ask = self._touch(coin)
        return MarketView(
            market=coin, revision=1, settings=engine.state.settings,
            instrument=engine.state.instrument, lease=LeaseView(owner="agent"),
            report=engine.report(self.now_ns), report_ms=self.now_ms,
            position_sz=self.position_sz[coin], entry_px=None, position_as_of_ms=self.now_ms,
            mark_px=self._flow.px[coin], bid_px=bid.px if bid else None,
            ask_px=ask.px if ask else None, venue_ms=self.now_ms, data_age_ms=0, open_orders=0,
            fenced=False, fence_reason="", paused=False, draining=False,
        )  # fmt: skip
