"""An hour of an account's life, three times: each cent, each part of the profit, each rebuild."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulation import test_ledger_hour as short
from tests.simulation.ledger_hour import Hour

CHECKS: tuple[Callable[[Hour], None], ...] = (
    short.test_all_of_it_happened,
    short.test_every_cent_of_every_token_is_explained,
    short.test_our_profit_and_equity_are_the_venues,
    short.test_attribution_from_the_journaled_mids_sums_to_the_profit,
    short.test_dollars_gained_are_what_the_markets_earned_and_what_the_token_did,
    short.test_the_ledger_made_again_from_log_and_venue_is_the_same,
    short.test_a_fill_that_the_log_lost_comes_back_from_the_venue,
)


@pytest.mark.parametrize("seed", range(3))
def test_an_hour(seed: int, tmp_path: Path) -> None:
    hour = Hour(seed, tmp_path / "ledger.db")
    hour.run(60)
    for check in CHECKS:
        check(hour)
