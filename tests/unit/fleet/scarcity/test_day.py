"""Part of a day: governed, the account lasts and still quotes; careless, it is empty in minutes."""

import msgspec
import pytest

from fleet.gateway.core.request_price import FREE
from fleet.scarcity.account import Careless, Governed, Venue
from fleet.scarcity.day import Result, day, paths

SECONDS = 2_400
MARKETS = 2


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    found = paths(MARKETS, 7, SECONDS)
    policies = {"naive": Careless(None), "alone": Careless(FREE), "governed": Governed()}
    return {name: day(found, policy, 200.0) for name, policy in policies.items()}  # type: ignore[arg-type]


def test_the_naive_requoter_is_empty_at_once_and_what_it_sends_is_refused(
    results: dict[str, Result],
) -> None:
    naive = results["naive"]
    assert naive.hours_to_empty is not None
    assert naive.hours_to_empty < 0.1
    assert naive.placements_refused > 0
    assert naive.uptime_share < 0.5


def test_governed_it_lasts_quotes_and_no_cancel_is_refused(results: dict[str, Result]) -> None:
    governed, alone = results["governed"], results["alone"]
    assert governed.hours_to_empty is None
    assert (governed.cancels_refused, governed.placements_refused) == (0, 0)
    assert governed.left > 8_500
    assert governed.requests < alone.requests / 2
    assert governed.uptime_share > 2 * results["naive"].uptime_share


def test_the_same_seed_is_the_same_day(results: dict[str, Result]) -> None:
    assert day(paths(MARKETS, 7, SECONDS), Governed(), 200.0) == results["governed"]
    other = day(paths(MARKETS, 8, SECONDS), Governed(), 200.0)
    assert msgspec.structs.astuple(other) != msgspec.structs.astuple(results["governed"])


def test_what_is_bought_is_in_the_bill() -> None:
    found = paths(4, 7, 900)
    rich, poor = (day(found, Governed(usd), 200.0) for usd in (5.0, 0.0))
    assert poor.bought_usd == 0.0
    assert 0.0 < rich.bought_usd <= 5.0
    assert rich.left + rich.requests == 10_000 + int(rich.volume_usd) + round(
        rich.bought_usd / 5e-4
    )


def test_the_venue_counts_as_it_does() -> None:
    venue = Venue(used=10_000)
    assert venue.cancel(1, 0)
    assert venue.place(1, 0), "one each ten seconds"
    assert not venue.place(1, 9)
    assert venue.place(1, 10)
    venue.used = 20_000
    assert not venue.cancel(1, 11)
    assert venue.cancel(1, 20)
    venue.volume_usd = 500.0
    assert venue.cap == 10_500
