"""Fair prices of many markets: a common factor, own shocks, and volatility that comes in waves."""

import math
from collections.abc import Mapping
from typing import Final, Protocol

from agents.market.types import Coin
from agents.market.units import BPS
from agents.sim.flow_profile import Mode, profile, underlying

WAVE_S: Final = 30.0
WAVE_SD: Final = 0.6
BASIS_S: Final = 20.0
BASIS_SD_BPS: Final = 1.5


class Chance(Protocol):
    """What is needed of a seeded ``random.Random``; pure code gets it handed in."""

    def random(self) -> float: ...
    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float: ...
    def lognormvariate(self, mu: float, sigma: float) -> float: ...
    def randrange(self, start: int) -> int: ...


class FairPrices:
    """What each coin is worth at this moment, unknown to all but the informed takers.

        d log px = sigma · wave · (c·z_common + sqrt(1 - c²)·z_own) · sqrt(dt)

    Markets of one underlying share its price and differ by a basis that returns to zero. ``wave``
    is log-normal with mean square 1 and a memory of 30 s: it makes the tails of short returns fat.
    """

    def __init__(self, start_px: Mapping[Coin, float], mode: Mode, chance: Chance) -> None:
        self._chance = chance
        self._wave = 0.0
        self._log_px: dict[str, float] = {}
        self._basis_bps: dict[Coin, float] = {}
        self._shape: dict[str, tuple[float, float]] = {}
        for coin, px in start_px.items():
            ticker = underlying(coin)
            character = profile(coin, mode)
            if ticker not in self._log_px or coin == ticker:
                self._log_px[ticker] = math.log(px)
                self._shape[ticker] = (character.sigma_bps / BPS, character.common_share)
            if coin != ticker and ticker in start_px:
                self._basis_bps[coin] = 0.0
        self._coins = tuple(start_px)
        self.px: dict[Coin, float] = {}
        self._settle()

    def step(self, dt_s: float) -> None:
        """Let ``dt_s`` seconds pass."""
        gauss, root = self._chance.gauss, math.sqrt(dt_s)
        pull = dt_s / WAVE_S
        self._wave += -pull * self._wave + WAVE_SD * math.sqrt(2.0 * pull) * gauss()
        scale = math.exp(self._wave - WAVE_SD * WAVE_SD) * root
        common = gauss()
        for ticker, (sigma, share) in self._shape.items():
            shock = share * common + math.sqrt(1.0 - share * share) * gauss()
            self._log_px[ticker] += sigma * scale * shock
        pull = min(1.0, dt_s / BASIS_S)
        for coin, basis in self._basis_bps.items():
            self._basis_bps[coin] = (
                basis * (1.0 - pull) + BASIS_SD_BPS * math.sqrt(2.0 * pull) * gauss()
            )
        self._settle()

    def push(self, coin: Coin, bps: float) -> None:
        """Lasting impact of a trade; it moves every market of the same underlying."""
        self._log_px[underlying(coin)] += bps / BPS

    def restore(self, px: Mapping[Coin, float]) -> None:
        """Go on from these prices, main markets before those that follow them."""
        for coin in sorted(set(px) & set(self._coins), key=lambda coin: (":" not in coin, coin)):
            self._log_px[underlying(coin)] = math.log(px[coin])
        self._settle()

    def _settle(self) -> None:
        for coin in self._coins:
            log_px = self._log_px[underlying(coin)]
            self.px[coin] = math.exp(log_px + self._basis_bps.get(coin, 0.0) / BPS)
