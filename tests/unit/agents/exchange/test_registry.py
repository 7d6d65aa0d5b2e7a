"""Asset ids are positions that count everything; fees carry HIP-3's factor."""

from decimal import Decimal

import msgspec
import pytest

from agents.exchange.registry import DexInfo, Registry
from agents.exchange.wire import Meta, PerpDex, SpotMeta

MAKER, TAKER = Decimal("0.00015"), Decimal("0.00045")


def _meta(*names: str, token: int = 0, more: dict[str, object] | None = None) -> Meta:
    universe = [{"name": name, "szDecimals": 2, "maxLeverage": 10} | (more or {}) for name in names]
    return msgspec.convert({"universe": universe, "collateralToken": token}, Meta, strict=False)


SPOT = msgspec.convert(
    {
        "tokens": [{"name": "USDC", "index": 0}, {"name": "USDE", "index": 235}],
        "universe": [
            {"name": "@7", "index": 7, "tokens": [235, 1]},
            {"name": "@150", "index": 150, "tokens": [235, 0]},
        ],
    },
    SpotMeta,
)
DEXS = [None, PerpDex("xyz"), PerpDex("flx"), None, PerpDex("hyna"), PerpDex("gone")]


def _build(metas: dict[str, Meta | None], dexs: list[PerpDex | None] | None = None) -> Registry:
    return Registry.build(DEXS if dexs is None else dexs, metas, SPOT, MAKER, TAKER)


def _id(registry: Registry, coin: str) -> int:
    found = registry.instrument(coin)
    assert found is not None
    return found.asset_id


def test_ids_count_nulls_empty_dexs_and_delisted_assets() -> None:
    main = _meta("BTC", "MATIC", "ETH")
    delisted = msgspec.structs.replace(main.universe[1], is_delisted=True)
    main = msgspec.structs.replace(main, universe=(main.universe[0], delisted, main.universe[2]))
    registry = _build(
        {
            "": main,
            "xyz": _meta("xyz:TSLA", "xyz:NVDA"),
            "flx": _meta(),
            "hyna": _meta("hyna:BTC", token=235),
            "gone": None,
        }
    )
    assert [_id(registry, coin) for coin in ("BTC", "MATIC", "ETH")] == [0, 1, 2]
    assert [_id(registry, coin) for coin in ("xyz:TSLA", "xyz:NVDA")] == [110_000, 110_001]
    assert _id(registry, "hyna:BTC") == 140_000
    assert registry.coins() == ("BTC", "ETH", "xyz:TSLA", "xyz:NVDA", "hyna:BTC")
    assert registry.instrument("btc") is None


def test_a_dex_knows_its_collateral_and_what_marks_it() -> None:
    registry = _build({"": _meta("BTC"), "hyna": _meta("hyna:BTC", token=235)})
    assert registry.dex("") == DexInfo("", 0, "USDC", None)
    assert registry.dex("hyna") == DexInfo("hyna", 4, "USDE", "@150")
    assert registry.dex("nope") is None
    assert [dex.index for dex in registry.dexes] == [0, 1, 2, 4, 5]
    btc = registry.instrument("hyna:BTC")
    assert btc is not None
    assert (btc.dex, btc.token) == ("hyna", "USDE")


def test_a_token_nobody_names_is_shown_by_its_index() -> None:
    assert _build({"": _meta("X", token=9)}).dexes[0].token == "@9"


def test_a_venue_without_hip3_still_has_its_main_dex() -> None:
    registry = _build({"": _meta("BTC")}, dexs=[])
    assert _id(registry, "BTC") == 0


@pytest.mark.parametrize(
    ("more", "maker_bps", "taker_bps"),
    [
        ({"deployerFeeScale": "1.0"}, 3.0, 9.0),
        ({"deployerFeeScale": "1.0", "growthMode": "enabled"}, 0.3, 0.9),
        ({"deployerFeeScale": "0.5"}, 2.25, 6.75),
        ({"deployerFeeScale": "3.0"}, 9.0, 27.0),
        ({"deployerFeeScale": "0"}, 1.5, 4.5),
    ],
)
def test_hip3_fees_are_scaled(more: dict[str, object], maker_bps: float, taker_bps: float) -> None:
    registry = _build({"": _meta("BTC"), "xyz": _meta("xyz:TSLA", more=more)})
    tesla, btc = registry.instrument("xyz:TSLA"), registry.instrument("BTC")
    assert tesla is not None
    assert btc is not None
    assert (tesla.maker_fee_bps, tesla.taker_fee_bps) == pytest.approx((maker_bps, taker_bps))
    assert (btc.maker_fee_bps, btc.taker_fee_bps) == pytest.approx((1.5, 4.5))


def test_the_scale_may_stand_with_the_dex_and_a_rebate_is_only_shrunk() -> None:
    dexs = [None, PerpDex("xyz", deployer_fee_scale=Decimal("0.5"))]
    metas = {"": _meta("BTC"), "xyz": _meta("xyz:TSLA", more={"growthMode": "enabled"})}
    registry = Registry.build(dexs, metas, SPOT, Decimal("-0.00001"), TAKER)
    tesla = registry.instrument("xyz:TSLA")
    assert tesla is not None
    assert (tesla.maker_fee_bps, tesla.taker_fee_bps) == pytest.approx((-0.01, 0.675))


@pytest.mark.parametrize(
    ("more", "isolated"),
    [
        ({}, False),
        ({"onlyIsolated": True}, True),
        ({"marginMode": "strictIsolated"}, True),
        ({"marginMode": "noCross"}, True),
        ({"marginMode": None, "onlyIsolated": None}, False),
    ],
)
def test_isolated_markets_are_known(more: dict[str, object], isolated: bool) -> None:
    found = _build({"": _meta("BTC", more=more)}).instrument("BTC")
    assert found is not None
    assert found.isolated_only is isolated
