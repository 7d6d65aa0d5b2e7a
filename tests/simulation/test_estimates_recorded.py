"""The panel on real recordings: in accord with offline fits, untroubled by outages and backlogs."""

from pathlib import Path

import numpy as np
import pytest

from agents.estimators.panel import Panel
from agents.events import Bbo, Trades
from agents.settings import StrategySettings
from tests.simulation.recorded import MARKETS, Seen, feed, frames, offline_fit, prediction, watch

PRIORS = {
    "default": StrategySettings(),
    "liquid": StrategySettings(kappa_prior_per_bps=1.0, fills_per_s_prior=0.3),
}
GAPS = [market for market in MARKETS if market[0].startswith(("btc-eth", "eth"))]


@pytest.fixture(scope="module")
def seen(shared: Path) -> dict[tuple[str, str, str], Seen]:
    """Each market once, under each prior."""
    return {
        (recording, coin, prior): watch(_path(shared, recording), coin, settings)
        for recording, coin in MARKETS
        for prior, settings in PRIORS.items()
    }


def _path(shared: Path, recording: str) -> Path:
    return shared / "recordings" / f"{recording}.jsonl.zst"


@pytest.mark.shared
@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize(("recording", "coin"), MARKETS)
def test_a_and_kappa_are_within_a_factor_of_two_of_an_offline_fit(
    shared: Path, seen: dict[tuple[str, str, str], Seen], recording: str, coin: str, prior: str
) -> None:
    oracle = offline_fit(_path(shared, recording), coin)
    found = seen[recording, coin, prior].last
    assert found is not None
    assert 0.5 < found.fills_per_s / oracle.fills_per_s < 2.0
    assert 0.5 < found.kappa_per_bps / oracle.kappa_per_bps < 2.0


@pytest.mark.shared
@pytest.mark.parametrize(("recording", "coin"), MARKETS)
def test_fair_predicts_the_next_second_no_worse_than_the_mid(
    seen: dict[tuple[str, str, str], Seen], recording: str, coin: str
) -> None:
    """Out of sample: each prediction was made before its outcome was learned."""
    found = prediction(seen[recording, coin, "default"])
    assert found.gain + found.gain_95 > 0
    if recording.startswith(("eth", "btc-2025")):  # the long ones can tell
        assert found.gain - found.gain_95 > 0


@pytest.mark.shared
@pytest.mark.parametrize(("recording", "coin"), GAPS)
def test_outages_and_what_they_hide_are_not_volatility(
    shared: Path, seen: dict[tuple[str, str, str], Seen], recording: str, coin: str
) -> None:
    """Told of the outages or not, sigma is the same; and it is near the one without them."""
    told = watch(_path(shared, recording), coin, PRIORS["default"], told=True).last
    alone = seen[recording, coin, "default"].last
    assert told is not None
    assert alone is not None
    assert alone.sigma_bps == pytest.approx(told.sigma_bps, rel=0.02)
    assert alone.sigma_bps == pytest.approx(_sigma_by_segment(shared, recording, coin), rel=0.5)


def _sigma_by_segment(shared: Path, recording: str, coin: str) -> float:
    """Realised from one-second mids within live stretches, over the whole recording."""
    squares, seconds = 0.0, 0
    before: tuple[int, float] | None = None
    for event, _ in frames(_path(shared, recording), coin):
        if not isinstance(event, Bbo):
            continue
        bid, ask = event.bbo
        assert bid is not None
        assert ask is not None
        mid_px = (bid.px + ask.px) / 2
        if before is None or event.venue_ms - before[0] > 5_000:
            before = (event.venue_ms, mid_px)
        elif event.venue_ms - before[0] >= 1_000:
            squares += (np.log(mid_px / before[1]) * 1e4) ** 2
            seconds += event.venue_ms - before[0]
            before = (event.venue_ms, mid_px)
    return float(np.sqrt(squares / (seconds / 1_000)))


@pytest.mark.shared
@pytest.mark.parametrize(("recording", "coin"), GAPS)
def test_a_duplicated_and_replayed_feed_changes_nothing(
    shared: Path, recording: str, coin: str
) -> None:
    """Each trades frame twice, and after it a replay of the last thirty: still once each."""
    once, often = Panel(PRIORS["default"], 0), Panel(PRIORS["default"], 0)
    replay: list[Trades] = []
    for event, now_ns in frames(_path(shared, recording), coin):
        if event is None:
            continue
        feed(once, event, now_ns)
        feed(often, event, now_ns)
        if isinstance(event, Trades):
            feed(often, event, now_ns)
            replay = [*replay[-4:], event]
            for old in replay:
                feed(often, old, now_ns)
    last_ns = 1 << 62
    mine, theirs = once.estimates(last_ns), often.estimates(last_ns)
    assert mine is not None
    assert mine == theirs


@pytest.mark.shared
@pytest.mark.parametrize(("recording", "coin"), MARKETS[:4])
def test_frames_in_any_order_raise_nothing(shared: Path, recording: str, coin: str) -> None:
    """The same frames backwards, and with trades first: channels are unordered."""
    events = [(e, at) for e, at in frames(_path(shared, recording), coin) if e is not None]
    for order in (events[::-1], sorted(events, key=lambda row: not isinstance(row[0], Trades))):
        panel = Panel(PRIORS["default"], 0)
        for event, now_ns in order:
            feed(panel, event, now_ns)
            panel.estimates(now_ns)


@pytest.mark.shared
def test_depth_is_known_where_books_are_and_nowhere_else(
    seen: dict[tuple[str, str, str], Seen],
) -> None:
    for (recording, _, prior), found in seen.items():
        assert found.last is not None
        beliefs = found.last.beliefs
        assert beliefs is not None
        books = not recording.endswith("bbo-trades")
        assert (beliefs.depth_usd is not None) == books, (recording, prior)
        assert ("depth_usd" in beliefs.unknown) != books
        assert {"basis_bps", "funding_per_h", "own_bid"} <= set(beliefs.unknown)
