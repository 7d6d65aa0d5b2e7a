"""Several markets that one crowd trades: correlated prices, and flow that leans one way everywhere.

    d log px_i = sigma * ( sqrt(rho)*z_common + sqrt(1-rho)*z_i ) * sqrt(dt)
    d lean     = -lean/LEAN_S * dt + shock*sqrt(2/LEAN_S)*z * sqrt(dt)
    buyers of market i come at rate A*exp(lean), sellers at A*exp(-lean)

Each taker reaches an exponential distance of mean 1/kappa from the fair price, with a size of about
a clip. Who knows the fair price takes what is beyond it by more than a taker's fee. Others quote a
little near the fair price and much far from it, so that there is a touch that is not ours, and
takers first eat through it. All of it goes through the exchange's book.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Coin, Side
from agents.market.units import BPS
from agents.sim.exchange import Exchange
from agents.sim.flow_maker import lots, on_grid
from agents.sim.flow_price import Chance
from agents.sim.market import RestingOrder

LEAN_S: Final = 60.0
CROWD: Final = "flow:crowd"
NEAR_BPS: Final = 0.8
FAR_BPS: Final = 25.0
NEAR_SHARE: Final = 0.15
FAR_SHARE: Final = 100.0
SIZE_SD: Final = 0.5
KNOWN_BPS: Final = 4.5


class Crowd(msgspec.Struct, frozen=True):
    """``shock``: the deviation of the common lean, 0 where each taker is on his own. sigma in
    bps/sqrt(s), A in 1/s a side, kappa in 1/bps.
    """

    rho: float = 0.8
    shock: float = 0.0
    sigma_bps: float = 2.0
    fills_per_s: float = 0.1
    kappa_per_bps: float = 0.15
    clip_usd: float = 500.0


class SharedFlow:
    """Everybody else in these markets; ``step`` once a block, before it runs."""

    def __init__(
        self, exchange: Exchange, coins: Sequence[Coin], crowd: Crowd, chance: Chance
    ) -> None:
        listings = exchange.universe.listings
        self.px = {coin: float(listings[coin].spec.start_px) for coin in coins}
        self.lean = 0.0
        self._exchange = exchange
        self._crowd = crowd
        self._chance = chance
        self._decimals = {coin: listings[coin].spec.sz_decimals for coin in coins}
        self._near: dict[Coin, list[int]] = {coin: [] for coin in coins}
        self._far: dict[Coin, list[int]] = {coin: [] for coin in coins}
        self._far_px: dict[Coin, float] = dict.fromkeys(coins, 0.0)

    def move(self, dt_s: float) -> None:
        """Let prices and the lean go on by ``dt_s``; nobody trades."""
        crowd, gauss, root = self._crowd, self._chance.gauss, math.sqrt(dt_s)
        common = gauss(0.0, 1.0)
        if crowd.shock > 0:
            pull = dt_s / LEAN_S
            self.lean += -pull * self.lean + crowd.shock * math.sqrt(2 * pull) * gauss(0.0, 1.0)
        for coin, px in self.px.items():
            shock = math.sqrt(crowd.rho) * common + math.sqrt(1 - crowd.rho) * gauss(0.0, 1.0)
            self.px[coin] = px * math.exp(crowd.sigma_bps / BPS * root * shock)

    def step(self, dt_s: float, now_ms: int) -> None:
        """One block of it: prices, others' quotes, those who know, those who don't."""
        self.move(dt_s)
        for coin in self.px:
            self._quote(coin, now_ms)
            takers = [
                (side, self._reach())
                for side in Side
                for _ in range(self._arrivals(side.sign, dt_s))
            ]
            for side, reach_bps in takers:
                usd = self._crowd.clip_usd * self._chance.lognormvariate(0.0, SIZE_SD)
                self._take(coin, side, reach_bps, usd, now_ms)
            if takers:
                self._refill(coin, now_ms)

    def oracles(self) -> None:
        """Publish the fair prices as the oracle's."""
        for coin, px in self.px.items():
            step = Decimal(1).scaleb(self._decimals[coin] - 6)
            self._exchange.set_oracle(coin, Decimal(px).quantize(step))

    def _reach(self) -> float:
        return -math.log(1.0 - self._chance.random()) / self._crowd.kappa_per_bps

    def _arrivals(self, sign: int, dt_s: float) -> int:
        """Poisson, by its own product of uniforms."""
        mean = self._crowd.fills_per_s * math.exp(sign * self.lean) * dt_s
        count, left = 0, math.exp(-mean)
        drawn = self._chance.random()
        while drawn > left:
            count += 1
            drawn *= self._chance.random()
        return count

    def _quote(self, coin: Coin, now_ms: int) -> None:
        """Others' quotes round the new fair price; cancelled first, so that none stands stale."""
        px, market = self.px[coin], self._exchange.floor.markets[coin]
        self._cancel(coin, self._near)
        if abs(px - self._far_px[coin]) / px * BPS > FAR_BPS / 3:
            self._cancel(coin, self._far)
            self._far_px[coin] = px
            self._far[coin] = [self._place(coin, side, FAR_BPS, FAR_SHARE, now_ms) for side in Side]
        bid, ask = market.touch()
        edge = KNOWN_BPS / BPS
        if bid is not None and float(bid.px) > px * (1 + edge):
            self._take(coin, Side.ASK, 0.0, FAR_SHARE * self._crowd.clip_usd, now_ms)
        if ask is not None and float(ask.px) < px * (1 - edge):
            self._take(coin, Side.BID, 0.0, FAR_SHARE * self._crowd.clip_usd, now_ms)
        self._refill(coin, now_ms)

    def _refill(self, coin: Coin, now_ms: int) -> None:
        """The quotes near the fair price stand again at their full size."""
        self._cancel(coin, self._near)
        self._near[coin] = [self._place(coin, side, NEAR_BPS, NEAR_SHARE, now_ms) for side in Side]

    def _cancel(self, coin: Coin, quoted: dict[Coin, list[int]]) -> None:
        for oid in quoted[coin]:
            self._exchange.cancel_flow(coin, oid)
        quoted[coin] = []

    def _place(self, coin: Coin, side: Side, away_bps: float, share: float, now_ms: int) -> int:
        px = self.px[coin] * (1.0 - side.sign * away_bps / BPS)
        return self._order(coin, side, px, share * self._crowd.clip_usd, "Alo", now_ms)

    def _take(self, coin: Coin, side: Side, reach_bps: float, usd: float, now_ms: int) -> None:
        px = self.px[coin] * (1.0 + side.sign * reach_bps / BPS)
        self._order(coin, side, px, usd, "Ioc", now_ms)

    def _order(self, coin: Coin, side: Side, px: float, usd: float, tif: str, now_ms: int) -> int:
        decimals, oid = self._decimals[coin], self._exchange.next_oid()
        ticks, exponent = on_grid(px, decimals, up=(side is Side.ASK) == (tif == "Alo"))
        if tif == "Alo":
            bid, ask = self._exchange.floor.markets[coin].touch()
            opposite = ask if side is Side.BID else bid
            if opposite is not None:  # never through the other side
                last = round(float(opposite.px) * 10.0**-exponent) - side.sign
                ticks = min(ticks, last) if side is Side.BID else max(ticks, last)
        sz = lots(usd, px, decimals)
        order = RestingOrder(
            oid=oid, owner=CROWD, side=side, px=Decimal(ticks).scaleb(exponent), sz=sz,
            orig_sz=sz, placed_ms=now_ms, tif="Alo" if tif == "Alo" else "Ioc",
        )  # fmt: skip
        self._exchange.place_flow(coin, order)
        return oid
