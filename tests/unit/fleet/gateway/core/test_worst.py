"""The worst case is what it says: however orders fill, no sum is beyond what was counted."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.market.types import Side
from fleet.gateway.api import Caps
from fleet.gateway.core.limits import Exposure
from fleet.gateway.core.worst import Kind, Part, Worst, part

BTC = Kind(underlying="BTC", dex="", leverage=5, nets=False)
HYNA = Kind(underlying="BTC", dex="hyna", leverage=2, nets=False)
ETH = Kind(underlying="ETH", dex="", leverage=5, nets=False)
KINDS = {"BTC": BTC, "hyna:BTC": HYNA, "ETH": ETH}
coins = st.decimals(min_value=0, max_value=5, places=2)
signed = st.decimals(min_value=-5, max_value=5, places=2)
exposures = st.builds(Exposure, position_sz=signed, open_bid_sz=coins, open_ask_sz=coins)
MARKS = {"BTC": 100.0, "hyna:BTC": 101.0, "ETH": 10.0}


def told(**held: Exposure) -> Worst:
    worst = Worst()
    for market, exposure in held.items():
        worst.put(market, part(KINDS[market], exposure, MARKS[market]))
    return worst


def flat(bid: str = "0", ask: str = "0", position: str = "0") -> Exposure:
    return Exposure(Decimal(position), Decimal(bid), Decimal(ask))


@given(st.fixed_dictionaries(dict.fromkeys(KINDS, exposures)))
def test_no_way_of_filling_is_beyond_the_sums(held: dict[str, Exposure]) -> None:
    use = told(**held).use()
    ways = [
        [(m, e.position_sz + b * e.open_bid_sz - a * e.open_ask_sz) for b in (0, 1) for a in (0, 1)]
        for m, e in held.items()
    ]
    for way in itertools.product(*ways):
        usd = {market: float(sz) * MARKS[market] for market, sz in way}
        assert sum(map(abs, usd.values())) <= use.gross_usd + 1e-6
        assert abs(sum(usd.values())) <= use.net_usd + 1e-6
        both = abs(usd["BTC"]) + abs(usd["hyna:BTC"])
        assert both <= use.underlyings_usd["BTC"] + 1e-6
        assert abs(usd["hyna:BTC"]) / 2 <= use.dex_margins_usd["hyna"] + 1e-6


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), exposures), max_size=30))
def test_sums_kept_one_by_one_are_those_made_anew(history: list[tuple[str, Exposure]]) -> None:
    worst, anew = Worst(), Worst()
    last: dict[str, Part] = {}
    for market, exposure in history:
        last[market] = part(KINDS[market], exposure, MARKS[market])
        worst.put(market, last[market])
    anew.renew(last.items())
    kept, fresh = worst.use(), anew.use()
    assert kept.gross_usd == pytest.approx(fresh.gross_usd, abs=1e-6)
    assert kept.net_usd == pytest.approx(fresh.net_usd, abs=1e-6)
    for name, usd in fresh.underlyings_usd.items():
        assert kept.underlyings_usd[name] == pytest.approx(usd, abs=1e-6)


@pytest.mark.parametrize(
    ("caps", "word"),
    [
        (Caps(gross_max_usd=400), "gross"),
        (Caps(net_max_usd=400), "net"),
        (Caps(underlying_gross_max_usd=400), "underlying"),
        (Caps(dex_margin_max_usd={"": 59}), "dex_margin"),
        (Caps(401, 401, 401, {"": 60, "hyna": 51}), None),
        (Caps(), None),
    ],
)
def test_each_cap_is_refused_by_its_name(caps: Caps, word: str | None) -> None:
    """200 of BTC and 101 of hyna:BTC are open; 100 more of BTC make 401."""
    worst = told(**{"BTC": flat(bid="2"), "hyna:BTC": flat(bid="1")})
    refused = worst.refusal("BTC", part(BTC, flat(bid="3"), 100.0), [Side.BID], caps)
    assert (refused.split(":")[0] if refused else None) == word
    assert worst.use().gross_usd == pytest.approx(301.0), "judging counts nothing"


def test_what_nets_is_counted_less_only_as_far_as_it_is_sure() -> None:
    nets = Kind(underlying="BTC", dex="", leverage=5, nets=True)
    beside = Kind(underlying="BTC", dex="hyna", leverage=5, nets=True)
    worst = Worst()
    worst.put("BTC", part(nets, flat(position="2"), 100.0))
    worst.put("hyna:BTC", part(beside, flat(position="-2"), 100.0))
    assert worst.use().underlyings_usd["BTC"] == pytest.approx(400 - 2 * 0.8 * 200)
    worst.put("BTC", part(nets, flat(position="2", ask="2"), 100.0))
    assert worst.use().underlyings_usd["BTC"] == pytest.approx(400), "the long may be gone"


def test_a_broken_cap_lets_pass_what_does_not_make_it_worse() -> None:
    worst = told(BTC=flat(position="5"), ETH=flat(position="-5"))
    caps = Caps(net_max_usd=100)
    short = part(ETH, flat(position="-5", ask="1"), 10.0)
    assert worst.refusal("ETH", short, [Side.ASK], caps) is None
    more = worst.refusal("ETH", part(ETH, flat(position="-5", bid="6"), 10.0), [Side.BID], caps)
    assert more is not None
    assert more.startswith("net")
