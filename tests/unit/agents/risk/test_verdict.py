"""Verdicts: the worst finding decides, and every gate but blind and kill lets inventory shrink."""

import pytest

from agents.risk.verdict import Allowance, Finding, Mode, aggregate, allowed

A = Allowance
NONE, REDUCE, KEEP, FULL = A.NONE, A.REDUCE, A.KEEP, A.FULL


def test_the_worst_decides_and_keeps_its_own_reasons() -> None:
    verdict = aggregate(
        [
            Finding(Mode.REDUCE_ONLY, "a"),
            None,
            Finding(Mode.BLIND, "b"),
            Finding(Mode.NO_NEW_RISK, "c"),
            Finding(Mode.BLIND, "d"),
        ]
    )
    assert verdict.mode is Mode.BLIND
    assert verdict.reason == "b; d"


def test_nothing_found_is_normal() -> None:
    verdict = aggregate([None, Finding(Mode.NORMAL, "fine")])
    assert (verdict.mode, verdict.reason) == (Mode.NORMAL, None)


def test_incident_35_the_largest_widening_counts_and_none_multiplies() -> None:
    found = [
        Finding(Mode.WIDEN, "slow", widen_bps=4.0),
        Finding(Mode.WIDEN, "forced flow", widen_bps=3.0),
        Finding(Mode.WARN, "near the limit"),
    ]
    assert aggregate(found).widen_bps == 4.0
    assert aggregate([*found, Finding(Mode.REDUCE_ONLY, "above")]).widen_bps == 4.0


# What a verdict leaves to (bid, ask) of a long, a flat and a short market.
TABLE = {
    Mode.NORMAL: ((FULL, FULL), (FULL, FULL), (FULL, FULL)),
    Mode.WARN: ((FULL, FULL), (FULL, FULL), (FULL, FULL)),
    Mode.WIDEN: ((FULL, FULL), (FULL, FULL), (FULL, FULL)),
    Mode.NO_NEW_RISK: ((KEEP, REDUCE), (KEEP, KEEP), (REDUCE, KEEP)),
    Mode.REDUCE_ONLY: ((NONE, REDUCE), (NONE, NONE), (REDUCE, NONE)),
    Mode.PULL: ((NONE, REDUCE), (NONE, NONE), (REDUCE, NONE)),
    Mode.BLIND: ((NONE, NONE), (NONE, NONE), (NONE, NONE)),
    Mode.KILL: ((NONE, NONE), (NONE, NONE), (NONE, NONE)),
}


@pytest.mark.parametrize("mode", Mode)
def test_the_table(mode: Mode) -> None:
    assert tuple(allowed(mode, sign) for sign in (1, 0, -1)) == TABLE[mode]


@pytest.mark.parametrize("mode", Mode)
def test_incident_25_the_side_that_reduces_is_left_alone(mode: Mode) -> None:
    long_ask, short_bid = allowed(mode, 1)[1], allowed(mode, -1)[0]
    assert long_ask is short_bid
    if mode < Mode.BLIND:
        assert long_ask in {A.REDUCE, A.FULL}


@pytest.mark.parametrize("mode", Mode)
def test_mirrored_inventory_mirrors_the_sides(mode: Mode) -> None:
    assert allowed(mode, 1) == allowed(mode, -1)[::-1]


def test_a_worse_mode_never_allows_more() -> None:
    rank = {NONE: 0, REDUCE: 1, KEEP: 1, FULL: 2}
    for sign in (1, 0, -1):
        for milder, worse in zip(list(Mode), list(Mode)[1:], strict=False):
            for before, after in zip(allowed(milder, sign), allowed(worse, sign), strict=True):
                assert rank[after] <= rank[before], (milder, worse, sign)


def test_people_read_pull_whether_the_market_or_our_sight_is_the_cause() -> None:
    assert {mode.words for mode in Mode} == {
        "normal", "warn", "widen", "no new risk", "reduce only", "pull", "kill",
    }  # fmt: skip
