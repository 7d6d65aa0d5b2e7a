"""Drives one engine by hand: a clock, a touch, and a venue that answers when it is told to."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from agents.commands import (
    AskOpenOrders,
    Cancel,
    Command,
    NewOrder,
    OpenFence,
    Place,
    RequestFence,
)
from agents.engine import Engine
from agents.events import (
    Bbo,
    CancelAnswered,
    DirectiveReceived,
    Event,
    FenceChanged,
    Fills,
    LiveOrder,
    OpenOrders,
    OrderResult,
    PlaceAnswered,
    Tick,
)
from agents.exchange.downstream import DirectiveFrame, LeaseFrame, LimitsFrame, OpenState
from agents.market.instrument import Instrument
from agents.market.types import Cloid, Coin, Fill, Level, Oid, Side, Tid
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.orders.lifecycle import State
from agents.orders.tracked import TrackedOrder
from agents.settings import MarketSettings, RiskSettings, StrategySettings

COIN = Coin("SOL")
START_NS = 1_750_000_000 * NS_PER_S
PREFIX = "f1ee700000000100" + "0007"
INSTRUMENT = Instrument(coin=COIN, asset_id=5, sz_decimals=2, leverage_max=20)
SETTINGS = MarketSettings(
    market=COIN,
    margin_usd=5_000.0,
    leverage=3,
    risk=RiskSettings(position_max_usd=10_000.0, daily_loss_max_usd=100.0),
    strategy=StrategySettings(half_spread_floor_bps=2.0, levels=3, warmup_s=5.0),
)

C = TypeVar("C", bound=Command)


def lease(**changed: Any) -> LeaseFrame:
    """Generation 7 of SOL, with a fresh directive, nothing held and nothing resting."""
    start_ms = START_NS // NS_PER_MS
    plain = LeaseFrame(
        generation=7,
        deadline_ms=start_ms + 5_000,
        lease_ms=5_000,
        renew_ms=500,
        revision=1,
        settings=SETTINGS,
        limits=LimitsFrame(position_max_usd=10_000.0),
        instrument=INSTRUMENT,
        cloid_prefix=PREFIX,
        state=OpenState(
            as_of_ms=start_ms, position_sz=Decimal(0), entry_px=None, fills_since_ms=start_ms
        ),
        pnl_day_usd=0.0,
        directive=DirectiveFrame(seq=1, as_of_ms=start_ms, mode="normal"),
        replaces=True,
    )
    return msgspec.structs.replace(plain, **changed)


def holding(position_sz: str, entry_px: str = "200") -> OpenState:
    """A lease's state with a position."""
    start_ms = START_NS // NS_PER_MS
    return OpenState(
        as_of_ms=start_ms,
        position_sz=Decimal(position_sz),
        entry_px=Decimal(entry_px),
        fills_since_ms=start_ms,
    )


class Driver:
    """``auto``: requests are answered at once, as a venue without delay would."""

    def __init__(self, *, auto: bool = True, **changed: Any) -> None:
        self.now_ns = START_NS
        self.engine = Engine(lease(**changed), START_NS)
        self.auto = auto
        self.mid_px = 200.0
        self.fed = True
        self.directed = True
        self.listed: tuple[LiveOrder, ...] = ()
        self.commands: list[Command] = []
        self._oid = 0
        self._tid = 0

    @property
    def now_ms(self) -> int:
        return self.now_ns // NS_PER_MS

    @property
    def phase(self) -> str:
        return self.engine.report(self.now_ns).phase

    @property
    def reason(self) -> str:
        return self.engine.report(self.now_ns).reason or ""

    def tell(self, event: Event) -> list[Command]:
        """One event, and with ``auto`` the answers to all it led to."""
        told = self.engine.handle(event, self.now_ns)
        self.commands += told
        if self.auto:
            for command in told:
                answer = self.answer(command)
                if answer is not None:
                    self.tell(answer)
        return told

    def answer(self, command: Command) -> Event | None:
        """What a venue that does as it is told says to a command."""
        match command:
            case Place():
                return PlaceAnswered(
                    command.request_id, tuple(self.rests() for _ in command.orders)
                )
            case Cancel():
                return CancelAnswered(command.request_id, (None,) * len(command.cloids))
            case RequestFence(reason=reason):
                return FenceChanged(closed=True, reason=reason)
            case OpenFence():
                return FenceChanged(closed=False)
            case AskOpenOrders():
                return OpenOrders(command.request_id, self.now_ns, self.listed + self.resting())
            case _:
                return None

    def resting(self) -> tuple[LiveOrder, ...]:
        """What a venue lists that agrees with the engine."""
        known = {row.cloid for row in self.listed}
        return tuple(
            LiveOrder(
                oid=order.oid or Oid(0),
                cloid=order.cloid,
                side=order.side,
                px=order.px,
                remaining_sz=order.remaining_sz,
                orig_sz=order.sz,
                placed_ms=order.sent_ns // NS_PER_MS,
                reduce_only=order.reduce_only,
            )
            for order in self.open()
            if order.cloid not in known
        )

    def rests(self) -> OrderResult:
        self._oid += 1
        return OrderResult("resting", oid=Oid(self._oid))

    def bbo(self, mid_px: float | None = None) -> list[Command]:
        """A touch two cents wide."""
        if mid_px is not None:
            self.mid_px = mid_px
        levels = (Level(self.mid_px - 0.01, 50.0), Level(self.mid_px + 0.01, 50.0))
        return self.tell(Bbo(coin=COIN, venue_ms=self.now_ms, bbo=levels))

    def pass_s(self, seconds: float) -> None:
        """Ticks each 100 ms, a touch each half second, a directive each second."""
        for _ in range(round(seconds * 10)):
            self.now_ns += 100 * NS_PER_MS
            step = self.now_ns // (100 * NS_PER_MS)
            if self.directed and step % 10 == 0:
                self.tell(DirectiveReceived(seq=step, as_of_ms=self.now_ms, mode="normal"))
            if self.fed and step % 5 == 0:
                self.bbo()
            self.tell(Tick())

    def fill(self, order: TrackedOrder | NewOrder, sz: str, *, crossed: bool = False) -> Fills:
        """A fill of an order of ours, not yet told."""
        self._tid += 1
        return Fills(fills=(self.fill_row(order, sz, tid=self._tid, crossed=crossed),))

    def fill_row(
        self, order: TrackedOrder | NewOrder, sz: str, *, tid: int, crossed: bool = False
    ) -> Fill:
        return Fill(
            coin=COIN,
            side=order.side,
            px=order.px,
            sz=Decimal(sz),
            time_ms=self.now_ms,
            tid=Tid(tid),
            oid=getattr(order, "oid", None) or Oid(9_999),
            cloid=order.cloid,
            fee=Decimal("0.001"),
            fee_token="USDC",
            crossed=crossed,
            start_position_sz=Decimal(0),
            closed_pnl=Decimal(0),
        )

    def live(self, side: Side | None = None) -> list[TrackedOrder]:
        """Our orders, best first."""
        orders = [o for o in self.engine.state.tracker.live.values() if side in {None, o.side}]
        return sorted(orders, key=lambda order: -order.side.sign * order.px)

    def open(self, side: Side | None = None) -> list[TrackedOrder]:
        return [order for order in self.live(side) if order.state is State.OPEN]

    def sent(self, kind: type[C]) -> list[C]:
        """Commands of a kind, since the last ``forget``."""
        return [command for command in self.commands if isinstance(command, kind)]

    def forget(self) -> None:
        self.commands.clear()


def quoting(**changed: Any) -> Driver:
    """A driver whose engine quotes, its orders resting."""
    driver = Driver(**changed)
    driver.pass_s(7.0)
    driver.forget()
    return driver


def leftover(number: int, side: Side, px: str, *, generation: str = "0006") -> LiveOrder:
    """An order of this market that an earlier generation left behind."""
    return LiveOrder(
        oid=Oid(500 + number),
        cloid=Cloid(f"0x{PREFIX[:16]}{generation}{number:012x}"),
        side=side,
        px=Decimal(px),
        remaining_sz=Decimal(1),
        orig_sz=Decimal(1),
        placed_ms=START_NS // NS_PER_MS - 60_000,
    )


def total_sz(orders: Sequence[TrackedOrder]) -> Decimal:
    """What these orders may still trade."""
    return sum((order.remaining_sz for order in orders), Decimal(0))
