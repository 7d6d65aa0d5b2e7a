"""Clock, key and account mode: told once, in force while it lasts, lifted when it is over."""

import pytest

from agents.exchange.wire import ExtraAgent
from fleet.gateway.core import cautions
from fleet.gateway.core.cautions import DAY_MS
from fleet.gateway.core.effects import Alert, Effect
from fleet.gateway.core.state import State
from tests.simulation.gateway_world import START_MS, fresh_state

SIGNER = "0x" + "5e" * 20


def alerts(effects: list[Effect]) -> list[str]:
    return [effect.severity for effect in effects if isinstance(effect, Alert)]


def off_by(ms: int) -> State:
    state = fresh_state()
    state.clock.seen(START_MS + ms, START_MS)
    return state


@pytest.mark.parametrize("off_ms", [-1_001, 1_001, 3_600_000])
def test_a_clock_that_is_off_by_a_second_stops_what_adds(off_ms: int) -> None:
    state = off_by(off_ms)
    assert alerts(cautions.clock(state)) == ["critical"]
    assert "clock" in state.cautions["clock"]
    assert cautions.clock(state) == [], "told once"
    state.clock.seen(START_MS + 200_000, START_MS + 200_000)
    state.clock.seen(START_MS + 300_000, START_MS + 300_000)
    assert alerts(cautions.clock(state)) == ["info"]
    assert state.cautions == {}


@pytest.mark.parametrize("off_ms", [-1_000, 0, 999])
def test_a_clock_that_is_good_enough_says_nothing(off_ms: int) -> None:
    assert cautions.clock(off_by(off_ms)) == []
    assert cautions.clock(fresh_state()) == [], "nor one that is not known yet"


@pytest.mark.parametrize(
    ("left_ms", "severities", "stops"),
    [
        (15 * DAY_MS, [], False),
        (14 * DAY_MS, ["warning"], False),
        (DAY_MS + 1, ["warning"], False),
        (DAY_MS, ["critical"], True),
        (-1, ["critical"], True),
    ],
)
def test_a_key_that_ends_is_told_and_in_its_last_day_only_reduces(
    left_ms: int, severities: list[str], stops: bool
) -> None:
    state = fresh_state()
    rows = [ExtraAgent("0x" + "11" * 20), ExtraAgent(SIGNER, "mm", START_MS + left_ms)]
    assert alerts(cautions.key(state, rows, SIGNER, START_MS)) == severities
    assert ("key" in state.cautions) == stops
    assert alerts(cautions.key(state, rows, SIGNER, START_MS)) == [], "told once"
    assert state.key_until_ms == START_MS + left_ms


def test_an_unnamed_key_is_not_listed_and_a_new_one_lifts_the_caution() -> None:
    state = fresh_state()
    assert cautions.key(state, [], SIGNER, START_MS) == []
    cautions.key(state, [ExtraAgent(SIGNER, "mm", START_MS)], SIGNER, START_MS)
    assert state.cautions
    longer = [ExtraAgent(SIGNER, "mm", START_MS + 90 * DAY_MS)]
    assert alerts(cautions.key(state, longer, SIGNER, START_MS)) == ["info"]
    assert state.cautions == {}


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin", "dexAbstraction"])
def test_an_account_that_shares_balances_only_reduces(mode: str) -> None:
    state = fresh_state()
    assert alerts(cautions.mode(state, mode)) == ["critical"]
    assert mode in state.cautions["account_mode"]
    assert alerts(cautions.mode(state, "disabled")) == ["info"]
    assert cautions.mode(state, "default") == []
