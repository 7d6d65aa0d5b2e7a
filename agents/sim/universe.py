"""Which DEXs and assets the embedded exchange lists, and the ids by which actions name them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.market.instrument import Instrument
from agents.market.types import Coin

DEX_STRIDE: Final = 10_000
DEX_OFFSET: Final = 100_000
LEVERAGE_DEFAULT: Final = 20
TOKEN_INDEX: Final[Mapping[str, int]] = {"USDC": 0, "USDE": 235, "USDH": 360, "USDT0": 268}

MarginMode = Literal["normal", "noCross", "strictIsolated"]


class AssetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One perpetual as its DEX lists it. ``name`` is the public coin, prefix included.

    ``margin_table``: id of a tiered table, 0 for the single tier of ``leverage_max``.
    """

    name: Coin
    sz_decimals: int
    leverage_max: int
    start_px: Decimal
    margin_mode: MarginMode = "normal"
    deployer_fee_scale: Decimal = Decimal(1)
    growth: bool = False
    delisted: bool = False
    margin_table: int = 0
    oi_cap_usd: Decimal | None = None
    funding_multiplier: Decimal = Decimal(1)


class DexSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One DEX; the main one is named ``""``. ``deployer`` is an address, None for main.

    ``oi_cap_usd``: open interest of all its assets together; a builder-deployed DEX's alone.
    """

    name: str
    full_name: str
    token: str
    assets: tuple[AssetSpec, ...] = ()
    deployer: str | None = None
    oi_cap_usd: Decimal = Decimal(1_000_000_000)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """An asset in its place: what the exchange looks up by coin or by asset id."""

    coin: Coin
    dex: str
    dex_index: int
    index: int
    token: str
    spec: AssetSpec
    instrument: Instrument

    @property
    def asset_id(self) -> int:
        return self.instrument.asset_id

    @property
    def hip3(self) -> bool:
        return self.dex_index > 0

    @property
    def isolated_only(self) -> bool:
        return self.spec.margin_mode != "normal"

    @property
    def px_decimals(self) -> int:
        """Decimals of mark, oracle and entry prices."""
        return 6 - self.spec.sz_decimals

    @property
    def leverage_default(self) -> int:
        return min(LEVERAGE_DEFAULT, self.spec.leverage_max)


class Universe:
    """All DEXs in index order, the main one first. Raises ValueError on a name listed twice."""

    def __init__(self, dexes: Iterable[DexSpec]) -> None:
        self.dexes: Final = tuple(dexes)
        self.by_dex: Final = {dex.name: dex for dex in self.dexes}
        self.listings: Final[dict[Coin, Listing]] = {}
        self.by_asset_id: Final[dict[int, Listing]] = {}
        for dex_index, dex in enumerate(self.dexes):
            for index, spec in enumerate(dex.assets):
                listing = _listing(dex, dex_index, index, spec)
                if spec.name in self.listings:
                    raise ValueError(f"{spec.name} is listed twice")
                self.listings[spec.name] = listing
                self.by_asset_id[listing.asset_id] = listing

    def coins(self, dex: str | None = None) -> tuple[Coin, ...]:
        """Tradable coins, of one DEX or of all."""
        return tuple(
            coin
            for coin, listing in self.listings.items()
            if not listing.spec.delisted and dex in {None, listing.dex}
        )

    def instrument(self, coin: Coin) -> Instrument:
        """The venue's grid for a listed coin; KeyError otherwise."""
        return self.listings[coin].instrument


def _listing(dex: DexSpec, dex_index: int, index: int, spec: AssetSpec) -> Listing:
    offset = DEX_OFFSET + dex_index * DEX_STRIDE if dex_index else 0
    instrument = Instrument(
        coin=spec.name,
        asset_id=offset + index,
        sz_decimals=spec.sz_decimals,
        leverage_max=spec.leverage_max,
        dex=dex.name,
        token=dex.token,
        isolated_only=spec.margin_mode != "normal",
        delisted=spec.delisted,
    )
    return Listing(
        coin=spec.name,
        dex=dex.name,
        dex_index=dex_index,
        index=index,
        token=dex.token,
        spec=spec,
        instrument=instrument,
    )


def _asset(
    name: str, sz_decimals: int, leverage_max: int, start_px: str, table: int = 0
) -> AssetSpec:
    return AssetSpec(
        name=Coin(name),
        sz_decimals=sz_decimals,
        leverage_max=leverage_max,
        start_px=Decimal(start_px),
        margin_table=table,
    )


def _hip3(
    asset: AssetSpec, scale: str, *, growth: bool, oi_cap_usd: int = 100_000_000
) -> AssetSpec:
    return msgspec.structs.replace(
        asset,
        deployer_fee_scale=Decimal(scale),
        growth=growth,
        oi_cap_usd=Decimal(oi_cap_usd),
        funding_multiplier=Decimal("0.5") if growth else Decimal(1),
    )


def _main() -> tuple[AssetSpec, ...]:
    """Thirty validator-operated perpetuals, and a delisted one among them."""
    return (
        _asset("BTC", 5, 40, "84000", 56),
        _asset("ETH", 4, 25, "2640", 55),
        _asset("SOL", 2, 20, "119", 54),
        msgspec.structs.replace(_asset("MATIC", 1, 20, "0.37"), delisted=True),
        _asset("WLFI", 0, 5, "0.0712"),
        _asset("XRP", 0, 20, "2.1", 53),
        _asset("DOGE", 0, 10, "0.151", 52),
        _asset("HYPE", 2, 10, "38.2", 52),
        _asset("AVAX", 2, 10, "14.1", 52),
        _asset("LINK", 1, 10, "13.2", 52),
        _asset("SUI", 1, 10, "1.62", 52),
        _asset("AAVE", 2, 10, "171", 52),
        _asset("LTC", 2, 10, "86", 52),
        _asset("ADA", 0, 10, "0.43", 52),
        _asset("kPEPE", 0, 10, "0.00461", 52),
        _asset("BCH", 3, 10, "512", 52),
        _asset("DOT", 1, 10, "2.31", 51),
        _asset("UNI", 1, 10, "6.1", 52),
        _asset("NEAR", 1, 10, "1.82", 52),
        _asset("APT", 2, 10, "2.9", 52),
        _asset("ARB", 1, 10, "0.212", 51),
        _asset("OP", 1, 10, "0.341", 51),
        _asset("CRV", 1, 10, "0.44", 52),
        _asset("ENA", 0, 10, "0.262", 52),
        _asset("TRUMP", 1, 10, "6.4", 52),
        _asset("FARTCOIN", 1, 10, "0.271", 52),
        _asset("PUMP", 0, 10, "0.00282", 52),
        _asset("WLD", 1, 10, "0.62", 52),
        _asset("ZEC", 2, 10, "548", 52),
        _asset("kBONK", 0, 10, "0.00992", 52),
        _asset("TON", 1, 10, "1.93"),
    )


def default_universe() -> Universe:
    """The paper venue's listing: the main DEX, three HIP-3 DEXs, and an empty one among them.

    Each of the three has its own collateral, leverage and fee scale; together they have a market
    of every margin mode, and a delisted one whose index stays taken.
    """
    xyz = (
        _hip3(_asset("xyz:XYZ100", 4, 25, "31175"), "1.0", growth=True),
        _hip3(_asset("xyz:TSLA", 3, 20, "379"), "1.0", growth=True),
        _hip3(_asset("xyz:NVDA", 3, 20, "182"), "1.0", growth=True),
        _hip3(_asset("xyz:GOLD", 4, 25, "4337"), "1.0", growth=False),
        _hip3(_asset("xyz:SILVER", 2, 25, "82.7"), "1.0", growth=True),
        msgspec.structs.replace(
            _hip3(_asset("xyz:CRCL", 3, 10, "86.4"), "1.0", growth=True),
            margin_mode="strictIsolated",
        ),
    )
    hyna = (
        _hip3(_asset("hyna:BTC", 5, 40, "84000"), "0.1111", growth=False),
        _hip3(_asset("hyna:ETH", 4, 25, "2640"), "0.1111", growth=False),
        _hip3(_asset("hyna:SOL", 2, 20, "119"), "0.1111", growth=False),
    )
    km = (
        _hip3(_asset("km:US500", 3, 20, "687.5"), "0.5", growth=False),
        msgspec.structs.replace(
            _hip3(_asset("km:USBOND", 2, 20, "88.4"), "0.5", growth=False), delisted=True
        ),
        msgspec.structs.replace(
            _hip3(_asset("km:TENCENT", 3, 10, "79.5"), "0.5", growth=False),
            margin_mode="noCross",
        ),
    )
    return Universe(
        (
            DexSpec(name="", full_name="", token="USDC", assets=_main()),
            DexSpec(name="xyz", full_name="XYZ", token="USDC", assets=xyz, deployer=_deployer(1)),
            DexSpec(name="flx", full_name="Felix", token="USDH", deployer=_deployer(2)),
            DexSpec(
                name="hyna", full_name="Hyna", token="USDE", assets=hyna, deployer=_deployer(3)
            ),
            DexSpec(name="km", full_name="Kinetiq", token="USDH", assets=km, deployer=_deployer(4)),
        )
    )


def _deployer(dex_index: int) -> str:
    return f"0x{dex_index:02x}" + "d0" * 19
