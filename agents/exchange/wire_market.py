"""What the venue lists and publishes about markets: DEXs, universes, tokens, contexts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

import msgspec

from agents.market.types import Coin, Level, Trade

Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e18)]
Bounded = Annotated[float, msgspec.Meta(gt=-1e18, lt=1e18)]


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    """Base: the venue's keys are camel case; what we don't read is ignored."""


class PerpDexLimits(_Wire, frozen=True):
    """``perpDexLimits``: what one builder-deployed DEX bounds as a whole, in its collateral."""

    total_oi_cap: Decimal
    oi_sz_cap_per_perp: Decimal
    max_transfer_ntl: Decimal


class MarginTier(_Wire, frozen=True):
    lower_bound: Decimal
    max_leverage: int


class MarginTable(_Wire, frozen=True):
    margin_tiers: tuple[MarginTier, ...]
    description: str = ""


class UniverseEntry(_Wire, frozen=True):
    """One asset of a DEX; its index in the list is its identity, delisted ones included.

    ``deployer_fee_scale`` and ``growth_mode`` decide HIP-3 fees (protocol 6.4).
    """

    name: Coin
    sz_decimals: int
    max_leverage: int
    margin_table_id: int = 0
    only_isolated: bool | None = None
    is_delisted: bool | None = None
    margin_mode: str | None = None
    growth_mode: str | None = None
    deployer_fee_scale: Decimal | None = None


class Meta(_Wire, frozen=True):
    """``meta`` of one DEX. ``collateral_token``: index of the spot token."""

    universe: tuple[UniverseEntry, ...]
    margin_tables: tuple[tuple[int, MarginTable], ...] = ()
    collateral_token: int = 0


class PerpDex(_Wire, frozen=True):
    """A row of ``perpDexs``; the main DEX's row is null. The fee scale was here until 2026-08."""

    name: str
    full_name: str = ""
    deployer: str = ""
    deployer_fee_scale: Decimal | None = None
    asset_to_streaming_oi_cap: tuple[tuple[Coin, Decimal], ...] = ()


class SpotToken(_Wire, frozen=True):
    """``index`` has gaps: look tokens up by it, never by position."""

    name: str
    index: int
    token_id: str = ""
    sz_decimals: int = 0
    wei_decimals: int = 0


class SpotPair(_Wire, frozen=True):
    """``tokens``: base and quote, by token index; ``name`` is the coin to subscribe to."""

    name: Coin
    index: int
    tokens: tuple[int, int]


class SpotMeta(_Wire, frozen=True):
    universe: tuple[SpotPair, ...]
    tokens: tuple[SpotToken, ...]


class AssetCtxWire(_Wire, frozen=True):
    """An asset's context. Null where there is no book; ``funding`` is hourly, a fraction."""

    mark_px: Positive
    oracle_px: Positive
    funding: Bounded
    mid_px: Positive | None = None
    premium: Bounded | None = None
    open_interest: Bounded = 0.0
    prev_day_px: Bounded = 0.0
    day_ntl_vlm: Bounded = 0.0


class ActiveAssetCtxWire(_Wire, frozen=True):
    coin: Coin
    ctx: AssetCtxWire


class BookWire(_Wire, frozen=True, gc=False):
    """A book whose levels must be there; ``events.Book`` takes them as empty when absent."""

    coin: Coin
    time: int
    levels: tuple[tuple[Level, ...], tuple[Level, ...]]
    fast: bool = False


class BboWire(_Wire, frozen=True, gc=False):
    coin: Coin
    time: int
    bbo: tuple[Level | None, Level | None]


class UserFees(_Wire, frozen=True):
    """``userFees``: rates with tier and staking discount in, HIP-3's factor not."""

    user_add_rate: Decimal
    user_cross_rate: Decimal


TradesWire = tuple[Trade, ...]
MetaByDex = Mapping[str, Meta | None]
