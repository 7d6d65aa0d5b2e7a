"""The kill switch: what latches, what recovers by rule, what waits for a person."""

import msgspec
import pytest

from agents.kept import Kept, Kill
from agents.risk.kill import lifted, ramp_share, turn, worth_storing
from agents.risk.verdict import Finding, Mode

NOW_MS = 1_750_000_000_000


def found(monitor: str) -> list[Finding]:
    return [Finding(Mode.KILL, f"{monitor} went wrong", monitor, latches=True)]


def step(kept: Kept, findings: list[Finding], at_s: float = 0.0) -> tuple[Kept, str | None, bool]:
    done = turn(kept, findings, NOW_MS + round(at_s * 1_000), recovery_after_s=30.0, kills_max=3)
    return done.kept, done.fence, done.opens


@pytest.mark.parametrize("monitor", ["rate", "cascade", "price"])
def test_what_passes_recovers_by_rule_and_sizes_come_back_slowly(monitor: str) -> None:
    kept, fence, _ = step(Kept(), found(monitor))
    assert fence is not None
    assert "lifts by itself" in fence
    kept, fence, opens = step(kept, found(monitor), 10.0)  # still there
    assert (fence, opens) == (None, False)
    kept, _, opens = step(kept, [], 39.0)
    assert not opens
    kept, _, opens = step(kept, [], 40.0)
    assert opens
    assert kept.kill is None
    shares = [ramp_share(kept, NOW_MS + 40_000 + s * 1_000, ramp_s=300) for s in (0, 150, 300)]
    assert shares == pytest.approx([0.25, 0.6, 1.0], abs=0.03)


def test_a_feed_that_was_silent_is_quoted_soon_after_with_whole_sizes_however_often() -> None:
    kept = Kept()
    for at_s in (0.0, 100.0, 200.0, 300.0):
        kept, fence, _ = step(kept, found("data"), at_s)
        assert fence is not None
        kept, _, opens = step(kept, [], at_s + 0.9)
        assert not opens
        kept, _, opens = step(kept, [], at_s + 1.0)
        assert opens
        assert ramp_share(kept, NOW_MS + round(at_s * 1_000) + 1_000, ramp_s=300) == 1.0


@pytest.mark.parametrize(
    "monitor",
    [
        "loss",
        "drawdown",
        "position",
        "runaway",
        "stuck",
        "liquidated",
        "liquidation",
        "of tomorrow",
    ],
)
def test_what_costs_money_or_is_not_known_waits_for_a_person(monitor: str) -> None:
    kept, fence, _ = step(Kept(), found(monitor))
    assert fence is not None
    assert "a person lifts it" in fence
    for at_s in (60.0, 86_400.0, 864_000.0):
        kept, fence, opens = step(kept, [], at_s)
        assert (fence, opens) == (None, False)
    assert kept.kill is not None
    after = lifted(kept, NOW_MS)
    assert after.kill is None
    assert ramp_share(after, NOW_MS, ramp_s=300.0) == 0.25


def test_a_loss_during_a_passing_kill_takes_over() -> None:
    kept, _, _ = step(Kept(), found("price"))
    kept, fence, _ = step(kept, found("price") + found("loss"), 1.0)
    assert fence is not None
    assert kept.kill is not None
    assert (kept.kill.cause, kept.kill.by_person) == ("loss", True)


def test_the_third_kill_of_a_day_waits_for_a_person() -> None:
    kept = Kept()
    for at_s in (0.0, 100.0):
        kept, _, _ = step(kept, found("price"), at_s)
        kept, _, opens = step(kept, [], at_s + 31.0)
        assert opens
    kept, _, _ = step(kept, found("price"), 200.0)
    _, _, opens = step(kept, [], 900.0)
    assert not opens


def test_incident_73_midnight_neither_lifts_a_kill_nor_keeps_yesterdays_count() -> None:
    kept, _, _ = step(Kept(day=20_000, kills=0), found("loss"))
    tomorrow = msgspec.structs.replace(kept, day=20_001, kills=0)
    kept, _, opens = step(tomorrow, [], 90_000.0)
    assert not opens
    assert kept.kill is not None


def test_the_disk_hears_at_once_of_what_matters_and_now_and_then_of_money() -> None:
    base = Kept(day=5, open_usd=0.0)
    richer = msgspec.structs.replace(base, peak_usd=9.0, pnl_usd=9.0)
    assert not worth_storing(base, base, 1_000_000)
    assert not worth_storing(base, richer, 29_000)
    assert worth_storing(base, richer, 30_000)
    kill = Kill(cause="loss", reason="", at_ms=1, seen_ms=1)
    killed = msgspec.structs.replace(base, kill=kill)
    assert worth_storing(base, killed, 0)
    seen = msgspec.structs.replace(killed, kill=msgspec.structs.replace(kill, seen_ms=9_000))
    assert not worth_storing(killed, seen, 9_000)
    for changed in (
        {"day": 6}, {"kills": 1}, {"reduced": "taker"}, {"ramp_ms": 4}, {"open_usd": 2.0},
    ):  # fmt: skip
        assert worth_storing(base, msgspec.structs.replace(base, **changed), 0)
