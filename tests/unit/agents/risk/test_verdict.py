"""Verdicts: the worst finding decides, and every gate but pull and halt lets inventory shrink."""

import pytest

from agents.risk.verdict import Allowance, Finding, Mode, aggregate, allowed

A = Allowance


def test_the_worst_decides_and_keeps_its_own_reasons() -> None:
    verdict = aggregate(
        [
            Finding(Mode.REDUCE_ONLY, "a"),
            None,
            Finding(Mode.PULL, "b"),
            Finding(Mode.NO_NEW_RISK, "c"),
            Finding(Mode.PULL, "d"),
        ]
    )
    assert verdict.mode is Mode.PULL
    assert verdict.reason == "b; d"


def test_nothing_found_is_normal() -> None:
    verdict = aggregate([None, Finding(Mode.NORMAL, "fine")])
    assert (verdict.mode, verdict.reason) == (Mode.NORMAL, None)


@pytest.mark.parametrize(
    ("mode", "sign", "sides"),
    [
        (Mode.NORMAL, 1, (A.FULL, A.FULL)),
        (Mode.NO_NEW_RISK, 0, (A.KEEP, A.KEEP)),
        (Mode.NO_NEW_RISK, -1, (A.REDUCE, A.KEEP)),
        (Mode.REDUCE_ONLY, 1, (A.NONE, A.REDUCE)),
        (Mode.REDUCE_ONLY, 0, (A.NONE, A.NONE)),
        (Mode.REDUCE_ONLY, -1, (A.REDUCE, A.NONE)),
        (Mode.PULL, 1, (A.NONE, A.NONE)),
        (Mode.HALT, -1, (A.NONE, A.NONE)),
    ],
)
def test_the_table(mode: Mode, sign: int, sides: tuple[Allowance, Allowance]) -> None:
    assert allowed(mode, sign) == sides


@pytest.mark.parametrize("mode", Mode)
def test_incident_25_the_side_that_reduces_is_left_alone(mode: Mode) -> None:
    long_ask, short_bid = allowed(mode, 1)[1], allowed(mode, -1)[0]
    assert long_ask is short_bid
    if mode < Mode.PULL:
        assert long_ask in {A.REDUCE, A.FULL}


@pytest.mark.parametrize("mode", Mode)
def test_mirrored_inventory_mirrors_the_sides(mode: Mode) -> None:
    assert allowed(mode, 1) == allowed(mode, -1)[::-1]
