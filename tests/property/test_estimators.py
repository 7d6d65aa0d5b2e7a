"""What holds of the panel under any input: bounds, finite beliefs, mirrors, the clock's rule."""

import math
import random
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.estimators.estimates import Beliefs, Estimates
from agents.estimators.panel import Panel
from agents.events import AssetCtx, Bbo, Book, Event, Trades
from agents.market.types import Coin, Level, Side, Tid, Trade
from agents.market.units import NS_PER_MS
from agents.settings import StrategySettings

COIN = Coin("BTC")
CENTRE_PX = 100.0

wild = st.one_of(
    st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e308, 5e-324])
)
pxs = st.one_of(st.floats(90.0, 110.0), wild)
szs = st.one_of(st.floats(0.0, 1e6), wild)
times = st.integers(0, 300_000)
levels = st.one_of(st.none(), st.builds(Level, px=pxs, sz=szs))
sides = st.lists(st.builds(Level, px=pxs, sz=szs), max_size=4).map(tuple)
trades = st.builds(
    Trade,
    coin=st.just(COIN),
    side=st.sampled_from(Side),
    px=pxs,
    sz=szs,
    time_ms=times,
    tid=st.integers(0, 50).map(Tid),
)
events = st.one_of(
    st.builds(Bbo, coin=st.just(COIN), venue_ms=times, bbo=st.tuples(levels, levels)),
    st.builds(Book, coin=st.just(COIN), venue_ms=times, levels=st.tuples(sides, sides)),
    st.builds(Trades, trades=st.lists(trades, max_size=5).map(tuple)),
    st.builds(AssetCtx, coin=st.just(COIN), mark_px=pxs, oracle_px=pxs, funding_per_h=wild),
    st.just(None),
)


def _feed(panel: Panel, event: Event | None, now_ns: int) -> None:
    match event:
        case Bbo():
            panel.on_bbo(event, now_ns)
        case Book():
            panel.on_book(event, now_ns)
        case Trades():
            panel.on_trades(event)
        case AssetCtx():
            panel.on_ctx(event)
        case _:
            panel.gap()


def _numbers(value: object) -> Iterator[float]:
    """Every number in a belief, however deep."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _numbers(getattr(value, name))
    elif isinstance(value, tuple):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, float | int):
        yield float(value)


@settings(max_examples=150, deadline=None)
@given(st.lists(events, max_size=40))
def test_incident_49_whatever_comes_fair_is_near_the_mid_and_every_belief_is_a_number(
    coming: list[Event | None],
) -> None:
    panel = Panel(StrategySettings(), 0)
    for index, event in enumerate(coming):
        now_ns = index * 700 * NS_PER_MS
        _feed(panel, event, now_ns)
        panel.on_offers([(Side.BID, 99.0), (Side.ASK, 101.0)], now_ns)
        found = panel.estimates(now_ns)
        if found is None:
            continue
        half_px = (found.ask_px - found.bid_px) / 2
        bound_px = min(half_px, found.mid_px * 5e-4)
        assert abs(found.fair_px - found.mid_px) <= bound_px * (1 + 1e-9)
        assert all(math.isfinite(number) for number in _numbers(found))
        assert found.sigma_bps > 0
        assert found.fills_per_s > 0
        assert found.kappa_per_bps > 0


def _market(seed: int, seconds: int = 400) -> list[Event]:
    """A market that leans, trends and trades; prices as logarithms from the centre."""
    rng = random.Random(seed)
    coming: list[Event] = []
    log_px, tid = 0.0, 0
    for step in range(seconds * 4):
        at_ms = 1_000_000 + step * 250
        lean = rng.uniform(-0.9, 0.9)
        log_px += 1e-4 * (rng.gauss(0.02, 0.4) + 0.2 * lean)
        bid = Level(CENTRE_PX * math.exp(log_px - 1e-4), 5.0 * (1 + lean))
        ask = Level(CENTRE_PX * math.exp(log_px + 1e-4), 5.0 * (1 - lean))
        if step % 4 == 0:
            coming.append(Book(coin=COIN, venue_ms=at_ms, levels=((bid,), (ask,))))
        else:
            coming.append(Bbo(coin=COIN, venue_ms=at_ms, bbo=(bid, ask)))
        if rng.random() < 0.2:
            side = Side.BID if rng.random() < 0.6 else Side.ASK
            reach = side.sign * 1e-4 * (1 + rng.expovariate(0.7))
            tid += 1
            px = CENTRE_PX * math.exp(log_px + reach)
            trade = Trade(COIN, side, px, rng.uniform(0.1, 3.0), at_ms + 10, Tid(tid))
            coming.append(Trades(trades=(trade,)))
    return coming


def _mirrored(event: Event) -> Event:
    """Prices reflected about the centre, sides exchanged."""

    def turned(level: Level | None) -> Level | None:
        return (
            None
            if level is None
            else Level(CENTRE_PX**2 / level.px, level.sz * level.px**2 / CENTRE_PX**2)
        )

    match event:
        case Bbo(coin=coin, venue_ms=at_ms, bbo=(bid, ask)):
            return Bbo(coin=coin, venue_ms=at_ms, bbo=(turned(ask), turned(bid)))
        case Book(coin=coin, venue_ms=at_ms, levels=(bids, asks)):
            swapped = tuple(map(turned, asks)), tuple(map(turned, bids))
            return msgspec.convert(
                {"coin": coin, "time": at_ms, "levels": swapped}, Book, from_attributes=True
            )
        case Trades(trades=rows):
            return Trades(
                trades=tuple(
                    Trade(
                        row.coin,
                        row.side.opposite,
                        CENTRE_PX**2 / row.px,
                        row.sz * row.px**2 / CENTRE_PX**2,
                        row.time_ms,
                        row.tid,
                    )
                    for row in rows
                )
            )
        case _:
            return event


def _seen(coming: list[Event], *, times_each: int = 1) -> tuple[Estimates, Beliefs]:
    panel = Panel(StrategySettings(), 0)
    panel.on_trades(Trades(trades=()))
    now_ns = 0
    for event in coming:
        if isinstance(event, Bbo | Book):
            now_ns = event.venue_ms * NS_PER_MS
        for _ in range(times_each):
            _feed(panel, event, now_ns)
        panel.estimates(now_ns)
    found = panel.estimates(now_ns)
    assert found is not None
    assert found.beliefs is not None
    return found, found.beliefs


def _mean_bps(beliefs: Beliefs, side: Side) -> float:
    public = beliefs.public(side)
    assert public is not None
    assert public.s1 is not None
    return public.s1.mean_bps


SIGNED: dict[str, Callable[[Estimates, Beliefs], float]] = {
    "fair": lambda e, _: math.log(e.fair_px / CENTRE_PX),
    "drift": lambda e, _: e.drift_bps,
    "return of 60 s": lambda _, b: (b.momentum and b.momentum.returns_bps[2]) or 0.0,
}
SIDED: dict[str, Callable[[Beliefs, Side], float]] = {
    "A": lambda b, side: b.intensity(side).fills_per_s,
    "kappa": lambda b, side: b.intensity(side).kappa_per_bps,
    "public markout": _mean_bps,
    "depth": lambda b, side: (b.depth_usd or (0.0, 0.0))[0 if side is Side.BID else 1],
}


@pytest.mark.parametrize("seed", range(4))
def test_incident_54_58_a_mirrored_market_is_believed_mirrored(seed: int) -> None:
    coming = _market(seed)
    mine, theirs = _seen(coming), _seen([_mirrored(event) for event in coming])
    for name, signed in SIGNED.items():
        assert signed(*mine) == pytest.approx(-signed(*theirs), rel=0.01, abs=1e-5), name
    for name, sided in SIDED.items():
        for side in Side:
            one, other = sided(mine[1], side), sided(theirs[1], side.opposite)
            assert one == pytest.approx(other, rel=0.01, abs=1e-3), (name, side)
    assert mine[0].sigma_bps == pytest.approx(theirs[0].sigma_bps, rel=1e-3)
    assert mine[1].toxicity_share == pytest.approx(theirs[1].toxicity_share, rel=0.01, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_incident_39_44_a_chattering_feed_teaches_nothing_more(seed: int) -> None:
    """Each event three times over, at the same venue time: decays go by the clock, not by calls."""
    coming = _market(seed)
    once, thrice = _seen(coming), _seen(coming, times_each=3)
    assert once[0].sigma_bps == pytest.approx(thrice[0].sigma_bps, rel=1e-9)
    for side in Side:
        assert once[1].intensity(side) == thrice[1].intensity(side)
    assert once[1].toxicity_share == thrice[1].toxicity_share
    assert once[1].public_bid == thrice[1].public_bid
    assert once[1].momentum == thrice[1].momentum
