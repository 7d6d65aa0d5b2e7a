"""Every DEX and market the venue lists: names to asset ids, collateral, fees (protocol 6).

Asset ids are positions: in ``perpDexs``, whose first row is the main DEX and null, and in each
DEX's universe. Nulls, empty DEXs and delisted assets are therefore counted and never filtered out.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Self

import msgspec

from agents.exchange.wire_market import (
    MarginTable,
    Meta,
    PerpDex,
    PerpDexLimits,
    SpotMeta,
    UniverseEntry,
)
from agents.market.instrument import Instrument
from agents.market.types import Coin

MAIN_DEX: Final = ""
USDC: Final = "USDC"
USDC_INDEX: Final = 0
GROWTH_FACTOR: Final = Decimal("0.1")
ISOLATED_MODES: Final = frozenset({"strictIsolated", "noCross"})
BPS: Final = Decimal(10_000)


class DexInfo(msgspec.Struct, frozen=True):
    """A DEX and its collateral.

    ``token_mark_coin``: the spot market whose mid is the token's price in USDC; None for USDC
    itself, and for a token that has no such market.
    """

    name: str
    index: int
    token: str
    token_mark_coin: str | None


class Terms(msgspec.Struct, frozen=True):
    """Under which terms a market trades, beside its instrument.

    ``tiers``: maximal leverage from a notional on; ``oi_cap_usd``: of a builder-deployed market.
    """

    tiers: tuple[tuple[Decimal, int], ...]
    margin_mode: str
    growth: bool
    oi_cap_usd: Decimal | None = None


class Registry(msgspec.Struct, frozen=True):
    """What the network offers, by name. Unknown names answer None.

    ``limits``: of those DEXs that were asked for theirs.
    """

    dexes: tuple[DexInfo, ...]
    instruments: Mapping[str, Instrument]
    terms: Mapping[str, Terms] = {}
    limits: Mapping[str, PerpDexLimits] = {}

    @classmethod
    def build(
        cls,
        perp_dexs: Sequence[PerpDex | None],
        metas: Mapping[str, Meta | None],
        spot_meta: SpotMeta | None,
        maker_rate: Decimal,
        taker_rate: Decimal,
    ) -> Self:
        """From the answers of ``perpDexs``, ``meta`` by DEX name (main is ``""``), ``spotMeta``.

        The rates are this account's on the main DEX, fractions (``userFees``). A DEX whose meta is
        missing or null keeps its index and lists nothing.
        """
        tokens = {token.index: token.name for token in spot_meta.tokens} if spot_meta else {}
        marks = _mark_coins(spot_meta)
        dexes: list[DexInfo] = []
        instruments: dict[str, Instrument] = {}
        terms: dict[str, Terms] = {}
        # A venue without HIP-3 may answer an empty list; the main DEX is there all the same.
        for index, row in enumerate(perp_dexs or (None,)):
            if row is None and index > 0:
                continue
            name = row.name if row is not None else MAIN_DEX
            meta = metas.get(name)
            token_index = meta.collateral_token if meta is not None else USDC_INDEX
            token = tokens.get(token_index, USDC if token_index == USDC_INDEX else "")
            dexes.append(DexInfo(name, index, token or f"@{token_index}", marks.get(token_index)))
            if meta is None:
                continue
            dex_scale = row.deployer_fee_scale if row is not None else None
            tables = dict(meta.margin_tables)
            caps = dict(row.asset_to_streaming_oi_cap) if row is not None else {}
            for position, entry in enumerate(meta.universe):
                maker_bps, taker_bps = _fees_bps(
                    entry, dex_scale, maker_rate, taker_rate, hip3=index > 0
                )
                terms[entry.name] = _terms(entry, tables, caps.get(entry.name))
                instruments[entry.name] = Instrument(
                    coin=entry.name,
                    asset_id=_asset_id(index, position),
                    sz_decimals=entry.sz_decimals,
                    leverage_max=entry.max_leverage,
                    dex=name,
                    token=dexes[-1].token,
                    isolated_only=bool(entry.only_isolated) or entry.margin_mode in ISOLATED_MODES,
                    delisted=bool(entry.is_delisted),
                    maker_fee_bps=maker_bps,
                    taker_fee_bps=taker_bps,
                )
        return cls(dexes=tuple(dexes), instruments=instruments, terms=terms)

    def instrument(self, coin: str) -> Instrument | None:
        """The market of this name, delisted ones too; None if the venue lists none."""
        return self.instruments.get(coin)

    def coins(self) -> tuple[Coin, ...]:
        """All markets that can be traded, in the venue's order."""
        return tuple(item.coin for item in self.instruments.values() if not item.delisted)

    def dex(self, name: str) -> DexInfo | None:
        """The DEX of this name; the main one is ``""``."""
        return next((dex for dex in self.dexes if dex.name == name), None)


def _terms(
    entry: UniverseEntry, tables: Mapping[int, MarginTable], oi_cap_usd: Decimal | None
) -> Terms:
    """A table that is not listed has one tier, of the asset's maximal leverage."""
    table = tables.get(entry.margin_table_id)
    tiers = table.margin_tiers if table is not None else ()
    return Terms(
        tiers=tuple((tier.lower_bound, tier.max_leverage) for tier in tiers)
        or ((Decimal(0), entry.max_leverage),),
        margin_mode=entry.margin_mode or ("noCross" if entry.only_isolated else "normal"),
        growth=entry.growth_mode == "enabled",
        oi_cap_usd=oi_cap_usd,
    )


def _asset_id(dex_index: int, position: int) -> int:
    return position if dex_index == 0 else 100_000 + dex_index * 10_000 + position


def _mark_coins(spot_meta: SpotMeta | None) -> dict[int, str]:
    """Token index to the first spot market that quotes it in USDC."""
    marks: dict[int, str] = {}
    for pair in spot_meta.universe if spot_meta else ():
        base, quote = pair.tokens
        if quote == USDC_INDEX:
            marks.setdefault(base, pair.name)
    return marks


def _fees_bps(
    entry: UniverseEntry,
    dex_scale: Decimal | None,
    maker_rate: Decimal,
    taker_rate: Decimal,
    *,
    hip3: bool,
) -> tuple[float, float]:
    """Maker's and taker's fee in bps with HIP-3's factor (protocol 6.4); a rebate is negative.

    The deployer's scale stands with the asset, or with the DEX in answers from before 2026-08.
    """
    scale = entry.deployer_fee_scale if entry.deployer_fee_scale is not None else dex_scale
    factor, growth = Decimal(1), Decimal(1)
    if hip3:
        share = scale if scale is not None else Decimal(1)
        factor = 1 + share if share < 1 else 2 * share
        growth = GROWTH_FACTOR if entry.growth_mode == "enabled" else Decimal(1)

    def bps(rate: Decimal) -> float:
        # A rebate is not multiplied by the deployer's factor, only by growth mode's.
        return float(rate * growth * (factor if rate > 0 else 1) * BPS)

    return bps(maker_rate), bps(taker_rate)
