"""The fair price: leans to the heavier side, never leaves its bound, mirrors."""

import pytest

from agents.estimators.fair import fair_px
from agents.market.types import Level


def test_even_sizes_give_the_mid() -> None:
    assert fair_px(Level(99.0, 5.0), Level(101.0, 5.0)) == 100.0


def test_more_bids_lift_it() -> None:
    assert 100.0 < fair_px(Level(99.99, 9.0), Level(100.01, 1.0)) < 100.01


@pytest.mark.parametrize("bid_sz", [0.0, 1e-9, 1.0, 1e12])
@pytest.mark.parametrize("half_px", [0.001, 0.1, 5.0, 40.0])
def test_incident_49_it_stays_near_the_mid_whatever_comes(bid_sz: float, half_px: float) -> None:
    found = fair_px(Level(100.0 - half_px, bid_sz), Level(100.0 + half_px, 1.0))
    assert abs(found - 100.0) <= min(half_px, 0.05) + 1e-12


def test_incident_54_mirrored_books_mirror() -> None:
    leaning = fair_px(Level(99.99, 7.0), Level(100.01, 2.0))
    mirrored = fair_px(Level(99.99, 2.0), Level(100.01, 7.0))
    assert leaning - 100.0 == pytest.approx(100.0 - mirrored)


def test_nothing_shown_gives_the_mid() -> None:
    assert fair_px(Level(99.0, 0.0), Level(101.0, 0.0)) == 100.0
