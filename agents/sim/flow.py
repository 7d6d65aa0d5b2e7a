"""Synthetic flow: fair prices that move, makers that follow them late, takers in bursts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from agents.market.types import Coin, Side
from agents.market.units import MS_PER_S
from agents.sim.flow_maker import Door, Ladder
from agents.sim.flow_price import Chance, FairPrices
from agents.sim.flow_profile import Mode, profile
from agents.sim.flow_taker import Takers
from agents.sim.universe import Universe

LAG_S: Final = 0.15
STEP_MAX_S: Final = 1.0
ORACLE_MS: Final = 1_000


class Flow:
    """Everybody else in the synthetic markets. ``step`` is called once a block, before it runs."""

    def __init__(self, universe: Universe, chance: Chance, mode: Mode) -> None:
        """``chance``: a seeded ``random.Random``; equal seeds and calls, equal flow."""
        listed = [(coin, universe.listings[coin].spec) for coin in universe.coins()]
        self.prices = FairPrices({coin: float(s.start_px) for coin, s in listed}, mode, chance)
        self._px_step = {coin: Decimal(1).scaleb(s.sz_decimals - 6) for coin, s in listed}
        self._seen_px = dict(self.prices.px)
        self._ladders: list[Ladder] = []
        self._takers: list[Takers] = []
        for coin, spec in listed:
            character = profile(coin, mode)
            self._ladders.append(Ladder(coin, spec.sz_decimals, character, chance))
            self._takers.append(Takers(coin, spec.sz_decimals, character, chance))
        self._last_ms: int | None = None
        self._oracle_ms = 0
        self._sweeps: dict[Coin, list[tuple[Side, float]]] = {}

    def sweep(self, coin: Coin, side: Side, usd: float) -> None:
        """At the next step one more taker comes, whatever the price: forced to."""
        self._sweeps.setdefault(coin, []).append((side, usd))

    def step(self, door: Door, now_ms: int) -> None:
        """Let the world move on to ``now_ms``: prices, then makers, then takers."""
        if self._last_ms is None:
            self._open(door, now_ms)
            return
        dt_s = min(STEP_MAX_S, (now_ms - self._last_ms) / MS_PER_S)
        if dt_s <= 0.0:
            return
        self._last_ms = now_ms
        self.prices.step(dt_s)
        share = dt_s / (dt_s + LAG_S)
        for ladder, takers in zip(self._ladders, self._takers, strict=True):
            coin = ladder.coin
            fair_px, seen_px = self.prices.px[coin], self._seen_px[coin]
            seen_px += share * (fair_px - seen_px)
            self._seen_px[coin] = seen_px
            ladder.step(door, seen_px, now_ms)
            for side, usd in self._sweeps.pop(coin, ()):
                takers.sweep(door, side, usd, now_ms)
            impact_bps = takers.step(door, fair_px, dt_s, now_ms)
            if impact_bps:
                self.prices.push(coin, impact_bps)
        if now_ms - self._oracle_ms >= ORACLE_MS:
            self._publish(door, now_ms)

    def restore(self, px: Mapping[Coin, float]) -> None:
        """Open at these fair prices instead of the universe's; before the first step."""
        self.prices.restore(px)
        self._seen_px = dict(self.prices.px)

    def _open(self, door: Door, now_ms: int) -> None:
        self._last_ms = now_ms
        self._publish(door, now_ms)
        for ladder in self._ladders:
            ladder.fill(door, self.prices.px[ladder.coin], now_ms)

    def _publish(self, door: Door, now_ms: int) -> None:
        self._oracle_ms = now_ms
        for coin, px in self.prices.px.items():
            door.set_oracle(coin, Decimal(px).quantize(self._px_step[coin]))
