"""The whole fleet in one thread, for long: thousands of seeds, and hundreds of longer ones."""

import pytest

from tests.simulation.world_seeds import run


@pytest.mark.parametrize("hundred", range(20))
def test_a_hundred_seeds_of_a_minute(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        result = run(seed)
        assert not result.violations, (seed, result.violations)


@pytest.mark.parametrize("seed", range(200))
def test_ten_minutes_of_four_markets(seed: int) -> None:
    result = run(seed, markets=4, seconds=600.0)
    assert not result.violations, result.violations
    assert result.fills
