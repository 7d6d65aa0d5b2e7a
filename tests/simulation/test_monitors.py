"""Every monitor, from what an engine is told to the orders it sends; and each leaf of its settings.

Incident 34: limits that are computed and only logged. Here what counts is what still rests.
"""

from functools import partial
from typing import Any

import msgspec
import pytest

from agents.commands import Cancel, OpenFence, Place, RequestFence
from agents.events import FenceChanged, LimitsChanged, LinkChanged
from agents.market.types import Side
from agents.orders.lifecycle import State
from agents.risk.verdict import Mode
from agents.settings import MonitorSettings, RiskSettings
from tests.simulation import monitor_walk as walk
from tests.simulation.monitor_walk import Scene, Walker

BOTH, REDUCING, NOTHING = {Side.BID, Side.ASK}, {Side.ASK}, set[Side]()

SCENES: list[tuple[str, Scene, str, Mode, set[Side]]] = [
    ("loss", walk.loss, "loss", Mode.KILL, NOTHING),
    ("drawdown", walk.drawdown, "drawdown", Mode.KILL, NOTHING),
    ("position", walk.position, "position", Mode.KILL, NOTHING),
    ("above its limit", walk.above, "position", Mode.REDUCE_ONLY, REDUCING),
    ("runaway", walk.runaway, "runaway", Mode.KILL, NOTHING),
    ("growth", walk.growth, "growth", Mode.PULL, REDUCING),
    ("stuck", walk.stuck, "stuck", Mode.KILL, NOTHING),
    ("under water", walk.under_water, "stuck", Mode.REDUCE_ONLY, REDUCING),
    ("drift", walk.drift, "drift", Mode.REDUCE_ONLY, REDUCING),
    ("leap", walk.leap, "liquidated", Mode.KILL, NOTHING),
    ("liquidated", walk.liquidated, "liquidated", Mode.KILL, NOTHING),
    ("liquidated in part", walk.liquidated_small, "liquidated", Mode.KILL, NOTHING),
    ("liquidation 7", partial(walk.near_liquidation, sigmas=7.0), "liquidation", Mode.WARN, BOTH),
    ("liquidation 4", partial(walk.near_liquidation, sigmas=4.0), "liquidation",
     Mode.REDUCE_ONLY, REDUCING),
    ("liquidation 2", partial(walk.near_liquidation, sigmas=2.0), "liquidation", Mode.KILL,
     NOTHING),
    ("a quote took", walk.maker, "maker", Mode.REDUCE_ONLY, REDUCING),
    ("move", walk.move, "price", Mode.PULL, REDUCING),
    ("leap of the price", partial(walk.move, share=0.06), "price", Mode.KILL, NOTHING),
    ("cascade widens", partial(walk.cascade, burst_usd=600_000.0), "cascade", Mode.WIDEN, BOTH),
    ("cascade pulls", partial(walk.cascade, burst_usd=1_700_000.0), "cascade",
     Mode.PULL, REDUCING),
    ("cascade kills", partial(walk.cascade, burst_usd=2_600_000.0, down=0.011), "cascade",
     Mode.KILL, NOTHING),
    ("oracle", walk.oracle, "oracle", Mode.REDUCE_ONLY, REDUCING),
    ("mark away", walk.mark_away, "oracle", Mode.REDUCE_ONLY, REDUCING),
    ("silence warns", partial(walk.silent, seconds=2.0), "data", Mode.WARN, BOTH),
    ("silence pulls", walk.silent, "data", Mode.BLIND, NOTHING),
    ("silence kills", partial(walk.silent, seconds=31.0), "data", Mode.KILL, NOTHING),
    ("streams", walk.streams, "streams", Mode.REDUCE_ONLY, REDUCING),
    ("slow answers", walk.slow, "venue", Mode.WIDEN, BOTH),
    ("no answers", partial(walk.slow, seconds=3.4), "venue", Mode.PULL, REDUCING),
    ("rate limits", walk.limited, "rate", Mode.KILL, NOTHING),
    ("no link", walk.no_link, "link", Mode.BLIND, BOTH),
]  # fmt: skip


def shown(walker: Walker) -> set[Side]:
    """Sides with orders that rest or are on their way; of unknown ones nobody can tell."""
    return {order.side for order in walker.live() if order.state in {State.OPEN, State.SENT}}


@pytest.mark.parametrize(
    ("scene", "monitor", "mode", "rests"),
    [row[1:] for row in SCENES],
    ids=[row[0] for row in SCENES],
)
def test_incident_34_each_monitor_changes_the_orders(
    scene: Scene, monitor: str, mode: Mode, rests: set[Side]
) -> None:
    walker = scene({})
    verdict = walker.engine.state.verdict
    assert verdict.mode is mode, verdict
    kept = walker.engine.state.kept.kill
    told = {found.monitor for found in verdict.found} | ({kept.cause} if kept else set())
    assert monitor in told, verdict
    if monitor != "runaway":  # whose orders are the venue's to give up
        assert shown(walker) == rests
    worst = walker.engine.report(walker.now_ns).worst
    assert worst is not None
    assert worst.mode == mode.words
    fences = walker.sent(RequestFence)
    assert len(fences) == (1 if kept else 0)
    if kept:
        assert monitor in fences[0].reason


# Of each leaf: the scene that it is about, and another value.
LEAVES: dict[str, tuple[Scene, Any]] = {
    "position_kill_ratio": (walk.position, 4.0),
    "growth_max_share": (walk.growth, 0.95),
    "growth_hold_s": (walk.growth_over, 5.0),
    "stuck_max_s": (walk.stuck, 30.0),
    "stuck_loss_max_share": (walk.under_water, 0.5),
    "move_pull_share": (walk.move, 0.02),
    "move_kill_share": (partial(walk.move, share=0.06), 0.08),
    "cascade_widen_bps": (partial(walk.cascade, burst_usd=600_000.0), 50.0),
    "oracle_age_max_s": (walk.oracle, 600.0),
    "oracle_away_max_bps": (walk.mark_away, 300.0),
    "stream_age_max_s": (walk.streams, 20.0),
    "answer_max_s": (partial(walk.slow, seconds=2.4), 1.0),
    "rate_limited_max_per_min": (walk.limited, 900),
    "liquidation_warn_sigmas": (partial(walk.near_liquidation, sigmas=7.0), 6.0),
    "liquidation_reduce_sigmas": (partial(walk.near_liquidation, sigmas=4.0), 3.9),
    "liquidation_flatten_sigmas": (partial(walk.near_liquidation, sigmas=2.0), 1.0),
    "recovery_after_s": (walk.move_over, 500.0),
    "kills_max_per_day": (walk.move_over, 1),
    "resume_ramp_s": (walk.move_over, 3_000.0),
    "drawdown_max_share": (walk.drawdown, 0.5),
    "daily_loss_max_usd": (walk.loss, 500.0),
    "data_age_max_s": (walk.silent, 10.0),
    "data_age_halt_s": (partial(walk.silent, seconds=12.0), 10.0),
}
ELSEWHERE = {
    # The position limit and directives have their own tests; the gateway keeps the last two.
    "position_max_usd", "directive_age_max_s", "directive_age_cancel_s", "directive_age_halt_s",
    "order_value_max_usd", "collar_bps", "advanced",
}  # fmt: skip


def _trace(walker: Walker) -> list[object]:
    """What left, and what is told where a warning is all there is."""
    sent = [c for c in walker.commands if isinstance(c, Place | Cancel | RequestFence | OpenFence)]
    return [sent, walker.engine.state.verdict.mode]


@pytest.mark.parametrize("leaf", LEAVES)
def test_each_leaf_of_the_monitors_changes_what_is_sent(leaf: str) -> None:
    scene, other = LEAVES[leaf]
    assert _trace(scene({})) != _trace(scene({leaf: other}))


def test_no_leaf_is_left_out() -> None:
    leaves = {
        field.name
        for part in (RiskSettings, MonitorSettings)
        for field in msgspec.structs.fields(part)
    }
    assert leaves == LEAVES.keys() | ELSEWHERE


# ── silence, recovery, restarts ──────────────────────────────────────────────────────────────


def test_incident_67_silence_warns_pulls_and_kills_at_its_times_by_timer_alone() -> None:
    walker = Walker({})
    walker.fed = walker.directed = False
    told: dict[str, float] = {}
    begun_ns = walker.engine.state.panel.data_ns
    assert begun_ns is not None
    for _ in range(320):
        walker.pass_s(0.1)  # nothing but ticks
        for found in walker.engine.state.verdict.found:
            if found.monitor == "data":
                told.setdefault(found.mode.words, (walker.now_ns - begun_ns) / 1e9)
    assert told == pytest.approx({"warn": 1.6, "pull": 3.1, "kill": 30.1}, abs=0.051)
    assert not walker.live()


@pytest.mark.parametrize(("feed", "latches"), [(True, True), (False, False)])
def test_the_gateways_word_of_a_gap_latches_a_silence_that_is_the_feeds_alone(
    feed: bool, latches: bool
) -> None:
    walker = Walker({})
    walker.fed = walker.directed = False
    walker.tell(LinkChanged("gap", walker.now_ms, feed=feed))
    for _ in range(310):
        walker.pass_s(0.1)
    assert walker.engine.state.verdict.mode is Mode.KILL
    assert len(walker.sent(RequestFence)) == latches
    walker.tell(LinkChanged("recovered", walker.now_ms))
    walker.fed = walker.directed = True
    walker.pass_s(3.0)
    assert len(walker.sent(OpenFence)) == latches
    assert walker.phase == "QUOTING"


def test_a_leap_recovers_by_rule_and_sizes_come_back_from_a_quarter() -> None:
    walker = walk.move({"resume_ramp_s": 30.0}, 0.06)
    assert not walker.live()
    walker.pass_s(28.0)
    assert not walker.live()
    walker.pass_s(8.0)
    assert len(walker.sent(OpenFence)) == 1
    share = walker.engine.report(walker.now_ns).ramp_share
    assert 0.25 <= share <= 0.4
    limit_usd = share * 10_000.0
    for side in Side:
        worst = float(walker.engine.state.position.sz) * side.sign + sum(
            float(order.remaining_sz) for order in walker.open(side)
        )
        assert worst * walker.mid_px <= limit_usd
    walker.pass_s(30.0)
    assert walker.engine.report(walker.now_ns).ramp_share == 1.0


def test_the_third_leap_of_a_day_waits_for_a_person() -> None:
    walker = walk.moves_again({})
    walker.pass_s(60.0)
    assert walker.phase == "HALTED"
    assert len(walker.sent(RequestFence)) == 3
    assert len(walker.sent(OpenFence)) == 2


def test_a_loss_kills_for_good_until_a_person_opens_and_again_while_it_stands() -> None:
    walker = walk.loss({})
    walker.walk_to(200.0)
    walker.pass_s(100.0)
    assert walker.phase == "HALTED"
    assert not walker.sent(OpenFence)
    walker.walk_to(198.9)
    walker.tell(FenceChanged(closed=False))
    walker.pass_s(1.0)
    assert walker.phase == "HALTED"  # it stands
    assert len(walker.sent(RequestFence)) == 2


def test_incident_73_a_restart_in_a_kill_stays_killed_and_in_a_drawdown_counts_on() -> None:
    killed = walk.loss({}).engine.state.kept
    again = Walker(
        {"daily_loss_max_usd": 10.0}, rich=False, kept=killed, fenced=True,
    )  # fmt: skip
    again.pass_s(40.0)
    assert again.phase == "HALTED"
    opened = Walker({}, kept=killed)  # the fence was opened while nobody was here
    assert opened.phase == "QUOTING"
    assert opened.engine.report(opened.now_ns).ramp_share == 0.25

    half = Walker({"daily_loss_max_usd": 10.0}, rich=False)
    half.walk_to(199.5)  # 5 of 10 lost, none of it cash
    assert half.phase == "QUOTING"
    after = Walker({"daily_loss_max_usd": 10.0}, rich=False, kept=half.engine.state.kept)
    after.walk_to(199.5)
    after.walk_to(198.95)
    assert after.phase == "HALTED"
    assert "day loss" in after.reason


def test_a_limit_that_comes_down_reduces_and_never_kills() -> None:
    walker = Walker({})
    walker.tell(LimitsChanged(position_max_usd=500.0))  # 2,000 are held
    walker.pass_s(5.0)
    assert walker.phase == "REDUCING"
    assert shown(walker) == REDUCING
    assert not walker.sent(RequestFence)


def test_near_its_liquidation_the_market_is_to_be_closed() -> None:
    fences = walk.near_liquidation({}, 2.0).sent(RequestFence)
    assert [(fence.flatten, fence.transient) for fence in fences] == [(True, False)]


def test_incident_31_forced_flow_moves_only_the_side_that_adds() -> None:
    calm = walk.cascade({"cascade_widen_bps": 0.0}, 600_000.0)
    wide = walk.cascade({"cascade_widen_bps": 30.0}, 600_000.0)
    bids = [max(float(order.px) for order in w.open(Side.BID)) for w in (calm, wide)]
    asks = [min(float(order.px) for order in w.open(Side.ASK)) for w in (calm, wide)]
    assert bids[1] < bids[0] - 0.1
    assert asks[1] == pytest.approx(asks[0], abs=0.02)
