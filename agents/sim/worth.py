"""What accounts were worth over time: a sample each quarter of an hour, for ``portfolio``."""

from decimal import Decimal
from typing import Final

import msgspec

from agents.sim.accounts import Account, Worth
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor

SAMPLE_MS: Final = 900_000
SAMPLES_MAX: Final = 1_000
THINNED: Final = 500


def tick_worth(floor: Floor) -> None:
    """Sample every account once a quarter of an hour of the block clock."""
    if floor.now_ms // SAMPLE_MS == floor.worth_ms // SAMPLE_MS:
        return
    floor.worth_ms = floor.now_ms
    for account in floor.accounts.values():
        account.worth.append(worth_now(floor, account, floor.now_ms))
        if len(account.worth) > SAMPLES_MAX:  # the older half keeps every other sample
            account.worth[:THINNED] = account.worth[:THINNED:2]


def worth_now(floor: Floor, account: Account, now_ms: int) -> Worth:
    """Every token counts one dollar; profit is what was not deposited."""
    perp_usd = sum((whole_usd(floor, account, dex.name) for dex in floor.universe.dexes), ZERO)
    usd = perp_usd + sum(account.spot.values(), ZERO)
    pnl_usd, perp_pnl_usd = usd - account.deposited_usd, perp_usd - account.perp_deposited_usd
    return Worth(now_ms, usd, perp_usd, pnl_usd, perp_pnl_usd)


def whole_usd(floor: Floor, account: Account, dex: str) -> Decimal:
    """Balance, isolated margin and positions at their marks, of one DEX."""
    clearing = account.clearings.get(dex)
    if clearing is None:
        return ZERO
    value = clearing.raw_usd
    for coin, position in clearing.positions.items():
        value += position.raw_usd + position.szi * floor.mark_px(coin)
    return value


def since(account: Account, start_ms: int, now: Worth) -> list[Worth]:
    """The samples from then on, and the present one; profit counts from the first."""
    chosen = [each for each in account.worth if each.time_ms >= start_ms]
    chosen.append(now)
    first = chosen[0]
    return [
        msgspec.structs.replace(
            each,
            pnl_usd=each.pnl_usd - first.pnl_usd,
            perp_pnl_usd=each.perp_pnl_usd - first.perp_pnl_usd,
        )
        for each in chosen
    ]
