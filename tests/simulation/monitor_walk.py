"""Moments that one monitor each is about, brought about from outside: by what an engine is told.

Each scene drives an engine that quotes SOL at 200 and is long 10, a fifth of its limit, and returns
it as it stands when the monitor has spoken. ``told`` changes the settings it runs under.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from agents.commands import Cancel, Command, NewOrder, Place
from agents.events import (
    AssetCtx,
    DirectiveReceived,
    Event,
    Fills,
    LinkChanged,
    OrderResult,
    OrderUpdate,
    PlaceAnswered,
    PositionSeen,
    Tick,
    Trades,
)
from agents.market.types import Oid, Side, Tid, Trade
from agents.market.units import NS_PER_S
from agents.settings import MarketSettings, MonitorSettings
from tests.unit.agents.driver import COIN, INSTRUMENT, SETTINGS, Driver, holding, leftover

HELD_SZ: Final = Decimal(10)
Told = Mapping[str, Any]
RISK: Final = {"daily_loss_max_usd": 5_000.0, "drawdown_max_share": 0.9}
"""So that money does not speak in scenes that are not about it."""


def settings(told: Told, *, rich: bool = True) -> MarketSettings:
    """``told``: leaves of ``risk``, or of its ``advanced`` part, by name."""
    names = {field.name for field in msgspec.structs.fields(MonitorSettings)}
    advanced = {name: value for name, value in told.items() if name in names}
    others = {name: value for name, value in told.items() if name not in names}
    risk = msgspec.structs.replace(
        SETTINGS.risk,
        advanced=msgspec.structs.replace(SETTINGS.risk.advanced, **advanced),
        **{**(RISK if rich else {}), **others},
    )
    return msgspec.structs.replace(SETTINGS, risk=risk)


class Walker(Driver):
    """A driver whose venue may refuse, or not answer: placements (``mute``), cancels (``deaf``)."""

    def __init__(self, told: Told, *, rich: bool = True, **changed: Any) -> None:
        changed.setdefault("state", holding(str(HELD_SZ)))
        super().__init__(settings=settings(told, rich=rich), **changed)
        self.refusal: str | None = None
        self.refused_side: Side | None = None
        self.mute = self.deaf = False
        self.pass_s(7.0)
        self.forget()

    def answer(self, command: Command) -> Event | None:
        if isinstance(command, Cancel) and self.deaf:
            return None
        if not isinstance(command, Place):
            return super().answer(command)
        if self.mute:
            return None
        results = tuple(
            OrderResult("refused", text=self.refusal)
            if self.refusal is not None and order.side in {self.refused_side, order.side}
            and (self.refused_side is None or order.side is self.refused_side)
            else self.rests()
            for order in command.orders
        )  # fmt: skip
        return PlaceAnswered(command.request_id, results)

    def walk_to(self, px: float, *, bps_a_step: float = 2.0) -> None:
        """The price goes there, so slowly that it is no leap: 2 bps each half second."""
        step = math.copysign(px * bps_a_step / 10_000.0, px - self.mid_px)
        while abs(px - self.mid_px) > abs(step):
            self.mid_px += step
            self.pass_s(0.5)
        self.bbo(px)
        self.pass_s(1.0)

    def gone(self, side: Side, status: str = "canceled") -> None:
        """The venue ends all orders of a side."""
        for order in self.open(side):
            self.tell(
                OrderUpdate(
                    oid=order.oid or Oid(1), cloid=order.cloid, side=side, px=order.px,
                    remaining_sz=order.sz, orig_sz=order.sz, status=status, status_ms=self.now_ms,
                )
            )  # fmt: skip

    def held(self, sz: str, *, liquidation_px: float | None = None) -> None:
        """The venue's word on the position."""
        self.now_ns += 2_000_000
        self.tell(PositionSeen(self.now_ms, Decimal(sz), Decimal(200), liquidation_px))


def loss(told: Told) -> Walker:
    walker = Walker({"daily_loss_max_usd": 10.0, **told}, rich=False)
    walker.walk_to(198.9)
    return walker


def drawdown(told: Told) -> Walker:
    walker = Walker({"daily_loss_max_usd": 5_000.0, "drawdown_max_share": 0.002, **told})
    walker.walk_to(198.9)
    return walker


def position(told: Told) -> Walker:
    walker = Walker(told)
    walker.tell(walker.fill(walker.open(Side.BID)[0], "95"))
    walker.held("105")
    walker.pass_s(1.0)
    return walker


def above(told: Told) -> Walker:
    """More than the limit, as it was when the limit came into force."""
    walker = Walker(told, state=holding("120"))
    walker.held("120")
    walker.pass_s(1.0)
    return walker


def runaway(told: Told) -> Walker:
    walker = Walker(told)
    huge = msgspec.structs.replace(
        leftover(1, Side.BID, "180"), remaining_sz=Decimal(95), orig_sz=Decimal(95)
    )
    walker.listed = (huge,)
    walker.deaf = True
    walker.pass_s(36.0)
    return walker


def growth(told: Told) -> Walker:
    walker = Walker(told, state=holding("1"))
    walker.tell(walker.fill(walker.open(Side.BID)[0], "45.5"))
    walker.held("46.5")
    walker.pass_s(1.0)
    return walker


def growth_over(told: Told) -> Walker:
    """The same, most of a minute later."""
    walker = growth(told)
    walker.pass_s(75.0)
    return walker


def stuck(told: Told) -> Walker:
    walker = Walker({"stuck_max_s": 8.0, **told})
    walker.refusal, walker.refused_side = "Post only order would have matched", Side.ASK
    walker.gone(Side.ASK)
    walker.pass_s(9.0)
    return walker


def under_water(told: Told) -> Walker:
    walker = Walker(told, state=holding("40"))
    walker.walk_to(187.0, bps_a_step=8.0)
    return walker


def drift(told: Told) -> Walker:
    walker = Walker(told)
    walker.held("11")
    walker.pass_s(4.0)
    return walker


def leap(told: Told) -> Walker:
    walker = Walker(told)
    walker.held("-5")
    walker.pass_s(6.0)
    return walker


def liquidated(told: Told) -> Walker:
    walker = Walker(told)
    walker.gone(Side.BID, "liquidatedCanceled")
    walker.pass_s(1.0)
    return walker


def liquidated_small(told: Told) -> Walker:
    """A tenth of the limit, with no order of ours in the way: the fill alone says so."""
    walker = Walker(told)
    order = NewOrder(None, Side.ASK, Decimal(200), Decimal(5))  # type: ignore[arg-type]
    row = walker.fill_row(order, "5", tid=999_999, crossed=True)
    walker.tell(Fills((msgspec.structs.replace(row, liquidated=True),)))
    walker.pass_s(1.0)
    return walker


def near_liquidation(told: Told, sigmas: float) -> Walker:
    walker = Walker(told)
    walker.pass_s(30.0)
    sigma_bps = walker.engine.report(walker.now_ns).sigma_bps
    assert sigma_bps is not None
    away = sigmas * sigma_bps * math.sqrt(3_600.0) / 10_000.0
    walker.held("10", liquidation_px=walker.mid_px * (1.0 - away))
    walker.pass_s(1.0)
    return walker


def maker(told: Told) -> Walker:
    walker = Walker(told)
    walker.tell(walker.fill(walker.open(Side.BID)[0], "1", crossed=True))
    walker.held("11")
    walker.pass_s(1.0)
    return walker


def move(told: Told, share: float = 0.012) -> Walker:
    walker = Walker(told)
    walker.bbo(walker.mid_px * (1.0 + share))
    walker.pass_s(1.0)
    return walker


def move_over(told: Told) -> Walker:
    """A leap that kills, and all that comes of it within a minute and a half."""
    walker = move(told, 0.06)
    walker.pass_s(90.0)
    return walker


def moves_again(told: Told) -> Walker:
    """Three such leaps in a day, and time to recover after each."""
    walker = Walker(told)
    for _ in range(3):
        walker.bbo(walker.mid_px * 1.06)
        walker.pass_s(45.0)
    return walker


def cascade(told: Told, burst_usd: float = 140_000.0, down: float = 0.0012) -> Walker:
    """A quarter of an hour of even flow, then one side's."""
    walker = Walker(told)
    for step in range(360):
        walker.now_ns += 5 * NS_PER_S // 2
        walker.tell(_prints(walker, Side.BID if step % 2 else Side.ASK, 2_500.0))
        walker.bbo()
        if step % 2 == 0:
            walker.tell(DirectiveReceived(seq=step, as_of_ms=walker.now_ms, mode="normal"))
            walker.tell(Tick())
    walker.pass_s(2.0)
    walker.tell(_prints(walker, Side.ASK, burst_usd))
    walker.bbo(walker.mid_px * (1.0 - down))
    walker.pass_s(0.7)
    return walker


def _prints(walker: Walker, side: Side, usd: float) -> Trades:
    tid = Tid(walker.now_ms)
    px = walker.mid_px - 0.01 if side is Side.ASK else walker.mid_px + 0.01
    return Trades((Trade(COIN, side, px, usd / px, walker.now_ms, tid),))


def _deployed() -> dict[str, Any]:
    return {"instrument": msgspec.structs.replace(INSTRUMENT, dex="xyz")}


def oracle(told: Told) -> Walker:
    """A deployer's oracle that stands still for over a minute while the market goes on."""
    walker = Walker(told, **_deployed())
    for second in range(75):
        walker.tell(AssetCtx(COIN, walker.mid_px, 200.0, 0.0))
        if second < 30:
            walker.mid_px -= 0.03
        walker.pass_s(1.0)
    return walker


def mark_away(told: Told) -> Walker:
    walker = Walker(told, **_deployed())
    walker.tell(AssetCtx(COIN, 200.0, 197.5, 0.0))
    walker.pass_s(1.0)
    return walker


def silent(told: Told, seconds: float = 3.6) -> Walker:
    walker = Walker(told)
    walker.fed = False
    walker.pass_s(seconds)
    return walker


def streams(told: Told) -> Walker:
    walker = Walker(told)
    walker.tell(AssetCtx(COIN, 200.0, 200.0, 0.0))
    walker.pass_s(62.0)
    return walker


def slow(told: Told, seconds: float = 2.0) -> Walker:
    """A new bid has had no answer for so long; the asks rest."""
    walker = Walker(told)
    walker.mute = True
    walker.gone(Side.BID)
    walker.pass_s(seconds)
    return walker


def limited(told: Told) -> Walker:
    walker = Walker(told)
    walker.refusal = "Too many cumulative requests sent (20000 > 10000) for cumulative volume"
    walker.walk_to(201.0, bps_a_step=4.0)
    walker.pass_s(10.0)
    return walker


def no_link(told: Told) -> Walker:
    walker = Walker(told)
    walker.tell(LinkChanged("gap", walker.now_ms))
    walker.pass_s(1.0)
    return walker


Scene = Callable[[Told], Walker]
