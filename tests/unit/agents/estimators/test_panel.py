"""The panel: each event once, backlogs left out, ready from public data alone."""

from decimal import Decimal

import msgspec
import pytest

from agents.estimators.checkpoint import CheckpointRefused, encode
from agents.estimators.panel import SIGMA_PRIOR_BPS, Panel
from agents.events import AssetCtx, Bbo, Book, Trades
from agents.market.types import Coin, Level, Side, Tid, Trade
from agents.market.units import NS_PER_S
from agents.settings import StrategySettings

COIN = Coin("BTC")
SETTINGS = StrategySettings(warmup_s=10.0, warmup_max_s=120.0)


def _bbo(second: float, mid_px: float = 100.0) -> tuple[Bbo, int]:
    bbo = Bbo(
        coin=COIN,
        venue_ms=round(second * 1_000),
        bbo=(Level(mid_px - 0.01, 1.0), Level(mid_px + 0.01, 1.0)),
    )
    return bbo, round(second * NS_PER_S)


def _warm(seconds: int = 12) -> Panel:
    panel = Panel(SETTINGS, 0)
    for second in range(seconds):
        panel.on_bbo(*_bbo(second))
    return panel


def _trade(tid: int, px: float = 100.05, *, second: float = 12.0, side: Side = Side.BID) -> Trade:
    return Trade(coin=COIN, side=side, px=px, sz=1.0, time_ms=round(second * 1_000), tid=Tid(tid))


def _told(*frames: tuple[Trade, ...], first: tuple[Trade, ...] = ()) -> float:
    """A after a warm-up, a backlog and these frames."""
    panel = _warm()
    for frame in (first, *frames):
        panel.on_trades(Trades(trades=frame))
    panel.on_bbo(*_bbo(12.5))
    estimates = panel.estimates(13 * NS_PER_S)
    assert estimates is not None
    return estimates.fills_per_s


def test_nothing_is_believed_without_a_touch() -> None:
    panel = Panel(SETTINGS, 0)
    assert panel.estimates(0) is None
    panel.on_bbo(Bbo(coin=COIN, venue_ms=1, bbo=(None, Level(1.0, 1.0))), 1)
    assert panel.estimates(1) is None


def test_a_crossed_touch_is_not_believed() -> None:
    panel = Panel(SETTINGS, 0)
    panel.on_bbo(Bbo(coin=COIN, venue_ms=1, bbo=(Level(100.0, 1.0), Level(100.0, 1.0))), 1)
    assert panel.crossed
    assert panel.estimates(1) is None


def test_incident_14_ready_without_a_single_trade() -> None:
    panel = _warm(12)
    estimates = panel.estimates(12 * NS_PER_S)
    assert estimates is not None
    assert estimates.ready
    assert estimates.sigma_known


def test_not_ready_before_its_time_but_the_prior_serves() -> None:
    estimates = _warm(4).estimates(4 * NS_PER_S)
    assert estimates is not None
    assert not estimates.ready
    assert not estimates.sigma_known
    assert estimates.sigma_bps == SIGMA_PRIOR_BPS


def test_ready_at_the_time_out_however_little_was_seen() -> None:
    panel = Panel(SETTINGS, 0)
    panel.on_bbo(*_bbo(119.0))
    assert panel.estimates(119 * NS_PER_S) is not None
    assert not panel.ready
    panel.estimates(120 * NS_PER_S)
    assert panel.ready


def test_the_first_frame_of_trades_is_a_backlog() -> None:
    backlog = tuple(_trade(tid) for tid in range(30))
    assert _told(first=backlog) == _told()
    assert _told((_trade(99),), first=backlog) > _told()


def test_incident_39_a_trade_counts_once() -> None:
    once = _told((_trade(1),))
    assert once > _told()
    assert _told((_trade(1),), (_trade(1),)) == once
    assert _told((_trade(1), _trade(1))) == once


def test_old_prints_are_passed_over_wherever_they_come() -> None:
    assert _told((_trade(1, second=2.0),)) == _told()


def test_after_a_gap_the_next_frame_is_a_backlog_again() -> None:
    def told(*trades: Trade) -> float:
        panel = _warm()
        panel.on_trades(Trades(trades=()))
        panel.gap()
        assert panel.estimates(12 * NS_PER_S) is None
        panel.on_bbo(*_bbo(12.0))
        panel.on_trades(Trades(trades=trades))
        panel.on_bbo(*_bbo(12.5))
        estimates = panel.estimates(13 * NS_PER_S)
        assert estimates is not None
        return estimates.fills_per_s

    assert told(_trade(1, second=12.2)) == told()


def test_an_older_channel_does_not_turn_the_touch_back() -> None:
    panel = _warm()
    stale = Book(coin=COIN, venue_ms=9_000, levels=((Level(90.0, 1.0),), (Level(91.0, 1.0),)))
    panel.on_book(stale, 12 * NS_PER_S)
    assert panel.bid is not None
    assert panel.bid.px == 99.99
    assert panel.data_ns == 12 * NS_PER_S  # but the feed lives


def test_a_book_is_a_touch_and_the_mark_is_kept() -> None:
    panel = Panel(SETTINGS, 0)
    book = Book(coin=COIN, venue_ms=1, levels=((Level(99.0, 1.0),), (Level(101.0, 1.0),)))
    panel.on_book(book, 1)
    panel.on_ctx(AssetCtx(coin=COIN, mark_px=100.5, oracle_px=100.4, funding_per_h=0.0))
    estimates = panel.estimates(1)
    assert estimates is not None
    assert (estimates.mid_px, estimates.mark_px) == (100.0, 100.5)


def test_new_settings_warm_up_at_once() -> None:
    panel = _warm(6)
    assert not panel.ready
    panel.adopt(StrategySettings(warmup_s=2.0))
    panel.estimates(6 * NS_PER_S)
    assert panel.ready


def _traded(seconds: int = 120) -> Panel:
    panel = _warm(0)
    panel.on_trades(Trades(trades=()))
    for second in range(seconds):
        panel.on_bbo(*_bbo(second, 100.0 * (1 + 1e-4 * (second % 3))))
        panel.on_trades(Trades(trades=(_trade(second, 100.06, second=second + 0.5),)))
    return panel


def test_incident_45_46_a_checkpoint_carries_what_was_learned_but_no_readiness_and_no_drift() -> (
    None
):
    old = _traded()
    held = encode(old.checkpoint(COIN))
    fresh = Panel(SETTINGS, 200 * NS_PER_S)
    fresh.restore(held, coin=COIN, now_ms=180_000)
    fresh.on_bbo(*_bbo(200.0))
    mine, theirs = fresh.estimates(200 * NS_PER_S), old.estimates(120 * NS_PER_S)
    assert mine is not None
    assert theirs is not None
    assert not mine.ready
    assert not mine.sigma_known
    assert mine.fair_px == mine.mid_px
    assert mine.kappa_per_bps == pytest.approx(theirs.kappa_per_bps, rel=0.05)
    assert mine.fills_per_s == pytest.approx(theirs.fills_per_s, rel=0.1)


def test_what_was_carried_spares_half_of_the_warm_up_at_most() -> None:
    held = encode(_traded().checkpoint(COIN))
    settings = msgspec.structs.replace(SETTINGS, warmup_s=40.0)
    cold, warm = Panel(settings, 200 * NS_PER_S), Panel(settings, 200 * NS_PER_S)
    warm.restore(held, coin=COIN, now_ms=180_000)
    ready_s = {}
    for name, panel in (("cold", cold), ("warm", warm)):
        for second in range(200, 260):
            panel.on_bbo(*_bbo(float(second)))
            panel.estimates(second * NS_PER_S)
            if panel.ready:
                ready_s[name] = second - 200
                break
    assert ready_s == {"cold": 40, "warm": 20}


def test_asking_for_a_checkpoint_changes_no_belief() -> None:
    asked, left_alone = Panel(SETTINGS, 0), Panel(SETTINGS, 0)
    for second in range(60):
        for panel in (asked, left_alone):
            panel.on_bbo(*_bbo(second, 100.0 * (1 + 1e-4 * (second % 3))))
            panel.on_trades(Trades(trades=(_trade(second, 100.06, second=second + 0.5),)))
        asked.checkpoint(COIN)
        now_ns = second * NS_PER_S
        assert asked.estimates(now_ns) == left_alone.estimates(now_ns)


def test_beliefs_of_before_come_too_late_once_the_feed_has_begun() -> None:
    held = encode(_traded().checkpoint(COIN))
    fresh = Panel(SETTINGS, 200 * NS_PER_S)
    fresh.on_bbo(*_bbo(200.0))
    with pytest.raises(CheckpointRefused, match="the feed has begun"):
        fresh.restore(held, coin=COIN, now_ms=201_000)


def test_an_old_checkpoint_leaves_the_panel_as_it_was() -> None:
    held = encode(_traded().checkpoint(COIN))
    fresh = Panel(SETTINGS, 0)
    with pytest.raises(CheckpointRefused):
        fresh.restore(held, coin=COIN, now_ms=10_000_000)
    fresh.on_bbo(*_bbo(1.0))
    estimates = fresh.estimates(NS_PER_S)
    assert estimates is not None
    assert estimates.fills_per_s == pytest.approx(SETTINGS.fills_per_s_prior)


def test_a_venue_clock_that_went_back_freezes_the_touch_for_three_seconds_at_most() -> None:
    panel = _warm()
    ahead = Bbo(coin=COIN, venue_ms=10**9, bbo=(Level(99.0, 1.0), Level(99.1, 1.0)))
    panel.on_bbo(ahead, 12 * NS_PER_S)
    panel.on_bbo(_bbo(13.0)[0], 13 * NS_PER_S)
    assert panel.bid == ahead.bbo[0]
    panel.on_bbo(_bbo(16.0)[0], 16 * NS_PER_S)
    assert panel.bid == Level(99.99, 1.0)
    assert panel.estimates(16 * NS_PER_S) is not None


def test_what_is_no_number_is_no_data() -> None:
    panel = _warm()
    broken = Bbo(coin=COIN, venue_ms=13_000, bbo=(Level(float("nan"), 1.0), Level(101.0, 1.0)))
    panel.on_bbo(broken, 13 * NS_PER_S)
    assert panel.data_ns == 11 * NS_PER_S


def test_own_fills_and_offers_lower_a_and_are_marked_out() -> None:
    panel = _traded()
    before = panel.estimates(120 * NS_PER_S)
    assert before is not None
    for step in range(3_000):
        at_s = 120.0 + step / 2
        panel.on_bbo(*_bbo(at_s))
        panel.on_offers([(Side.BID, 99.99)], round(at_s * NS_PER_S))
        if step == 5:
            panel.on_fill(Side.BID, Decimal("99.98"), 1.0, round(at_s * 1_000))
    after = panel.estimates(1_620 * NS_PER_S)
    assert after is not None
    assert after.beliefs is not None
    assert after.beliefs.bid.fills_per_s < after.beliefs.ask.fills_per_s
    assert after.beliefs.own_bid is not None
    assert after.beliefs.own_bid.s1 is not None
    assert after.beliefs.own_bid.s1.mean_bps > 0
    assert "own_ask" in after.beliefs.unknown
