"""Covariance of returns: what it finds in made-up markets, and what it never lets in."""

import math
import random

import msgspec
import numpy as np
import pytest

from fleet.risk.covariance import (
    EIGENVALUE_MIN,
    HALF_LIFE_S,
    SAMPLE_MS,
    SAMPLES_MIN,
    Covariance,
    Kept,
    Seen,
    floored,
    one_factor,
    shrunk,
)


def watched(
    rho: float, *, samples: int, seed: int = 1, markets: int = 3, sigma_bps: float = 2.0
) -> Covariance:
    """Markets driven by one factor, seen for so many samples."""
    draw = random.Random(seed)
    found = Covariance()
    log_px = [0.0] * markets
    root = math.sqrt(SAMPLE_MS / 1_000)
    for step in range(samples + 1):
        common = draw.gauss(0, 1)
        for at in range(markets):
            shock = math.sqrt(rho) * common + math.sqrt(1 - rho) * draw.gauss(0, 1)
            log_px[at] += sigma_bps / 1e4 * root * shock
        seen = {f"M{at}": Seen(math.exp(x), 0) for at, x in enumerate(log_px)}
        assert found.sample(seen, 1_000_000 + step * SAMPLE_MS)
    return found


def test_volatility_and_correlation_are_found() -> None:
    found = watched(0.6, samples=720)
    names = ["M0", "M1", "M2"]
    assert found.correlation(names)[0, 1] == pytest.approx(0.6, abs=0.12)
    assert found.sigma_bps("M0") == pytest.approx(2.0, rel=0.1)


def test_before_enough_samples_nothing_is_claimed() -> None:
    found = watched(0.6, samples=int(SAMPLES_MIN) - 1)
    assert found.sigma_bps("M0") is None
    assert not found.ready("M0")
    assert not found.ready("unheard of")


def test_samples_are_taken_when_they_are_due_and_not_over_a_gap() -> None:
    found = Covariance()
    seen = {"M": Seen(100.0, 0)}
    assert found.sample(seen, 0)
    assert not found.sample(seen, SAMPLE_MS - 1)
    assert found.sample({"M": Seen(101.0, 0)}, 10 * SAMPLE_MS)
    assert found.samples(["M"])[0, 0] == 0, "a return over a silence is of another length"


@pytest.mark.parametrize("bad", [Seen(math.nan, 0), Seen(0.0, 0), Seen(100.0, 3_001)])
def test_old_or_broken_prices_leave_the_estimate_alone(bad: Seen) -> None:
    found = watched(0.6, samples=100)
    before = found.sigma_bps("M1"), found.correlation(["M1", "M2"]).tolist()
    at_ms = found.at_ms or 0
    held = {"M0": Seen(1.0, 0), "M1": bad, "M2": Seen(1.0, 0)}
    found.sample(held, at_ms + SAMPLE_MS)
    assert (found.sigma_bps("M1"), found.correlation(["M1", "M2"]).tolist()) == before


def test_one_wild_print_is_bounded() -> None:
    found = watched(0.6, samples=200)
    before = found.sigma_bps("M0") or 0.0
    at_ms = found.at_ms or 0
    found.sample({f"M{at}": Seen(1e30, 0) for at in range(3)}, at_ms + SAMPLE_MS)
    after = found.sigma_bps("M0") or 0.0
    assert math.isfinite(after)
    assert before < after < 2_000 / math.sqrt(SAMPLE_MS / 1_000)


def test_markets_come_and_go_without_touching_the_others() -> None:
    found = watched(0.6, samples=100)
    before = found.correlation(["M0", "M2"]).tolist()
    at_ms = found.at_ms or 0
    found.sample(
        {"M0": Seen(1.0, 9_999), "M2": Seen(1.0, 9_999), "N": Seen(5.0, 0)}, at_ms + SAMPLE_MS
    )
    assert found.markets == ("M0", "M2", "N")
    assert found.correlation(["M0", "M2"]).tolist() == before
    assert not found.ready("N")


def test_what_is_kept_is_what_it_was() -> None:
    found = watched(0.6, samples=100)
    again = Covariance()
    again.restore(msgspec.json.decode(msgspec.json.encode(found.kept()), type=Kept))
    assert again.kept() == found.kept()
    assert np.array_equal(again.correlation(["M0", "M1"]), found.correlation(["M0", "M1"]))
    empty = Covariance()
    empty.restore(Covariance().kept())
    assert empty.markets == ()


def test_what_does_not_fit_together_is_refused() -> None:
    kept = watched(0.6, samples=40).kept()
    with pytest.raises(ValueError, match="matrices"):
        Covariance().restore(msgspec.structs.replace(kept, products=((1.0,),)))
    broken = tuple(tuple(math.nan for _ in row) for row in kept.weights)
    with pytest.raises(ValueError, match="no number"):
        Covariance().restore(msgspec.structs.replace(kept, weights=broken))


def test_one_factor_finds_its_loadings() -> None:
    loadings = np.array([0.9, 0.5, 0.7, -0.4])
    matrix = np.outer(loadings, loadings)
    np.fill_diagonal(matrix, 1.0)
    assert np.allclose(one_factor(matrix), loadings, atol=1e-3)


def test_few_samples_are_drawn_to_the_factor_and_many_are_left_alone() -> None:
    loadings = np.array([0.9, 0.5, 0.7, 0.8])
    target = np.outer(loadings, loadings)
    raw = target + 0.2 * np.array([[0, 1, -1, 0], [1, 0, 0, 1], [-1, 0, 0, -1], [0, 1, -1, 0]])
    np.fill_diagonal(raw, 1.0)
    near = np.abs(shrunk(raw, np.full((4, 4), 5.0)) - raw).max()
    far = np.abs(shrunk(raw, np.full((4, 4), 5e6)) - raw).max()
    assert far < 1e-4 < 0.01 < near


def test_the_floor_repairs_and_leaves_what_is_sound() -> None:
    sound = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert floored(sound) is sound
    torn = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    mended = floored(torn)
    assert np.linalg.eigvalsh(mended)[0] >= EIGENVALUE_MIN / 3
    assert np.array_equal(np.diag(mended), np.ones(3))
    assert np.array_equal(mended, mended.T)


def test_the_memory_is_half_an_hour() -> None:
    assert HALF_LIFE_S >= 1_800
