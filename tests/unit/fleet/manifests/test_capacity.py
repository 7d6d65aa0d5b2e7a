"""What a manifest takes of subscriptions and orders."""

import msgspec
import pytest

from agents.settings import StrategySettings
from fleet.manifests.capacity import capacity
from tests.unit.fleet.views import settings, spec


def test_forty_markets_are_far_from_the_limits() -> None:
    told = capacity(spec(*(f"M{i}" for i in range(40))), dexes=10)
    assert told.subscriptions == 4 + 20 + 160
    assert told.orders == 400
    assert told.warnings == ()


def test_without_the_venue_nothing_is_made_up() -> None:
    assert capacity(spec("BTC"), None).subscriptions is None


@pytest.mark.parametrize(
    ("count", "levels", "words"),
    [
        (260, 1, "1064 subscriptions are needed, and the venue grants 1000"),
        (40, 25, "2000 orders may rest at once"),
    ],
)
def test_what_is_beyond_them_is_told(count: int, levels: int, words: str) -> None:
    strategy = StrategySettings(levels=levels)
    markets = {f"M{i}": settings(f"M{i}", strategy=strategy) for i in range(count)}
    told = capacity(msgspec.structs.replace(spec(), markets=markets), dexes=10)
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith(words)
