"""What is held back after a gateway restart, and what the engine is told of it."""

from decimal import Decimal
from typing import Final

from agents.events import (
    Bbo,
    FenceChanged,
    LimitsChanged,
    LinkChanged,
    LiveOrder,
    OpenOrders,
    OutcomeUnknown,
    PauseChanged,
    PositionSeen,
    SettingsChanged,
)
from agents.exchange.downstream import LeaseFrame, LimitsFrame, OpenState
from agents.market.instrument import Instrument
from agents.market.types import Cloid, Coin, Oid, Side
from agents.runtime.reunion import Settling, Told, open_state
from agents.settings import MarketSettings, RiskSettings

BTC: Final = Coin("BTC")
SETTINGS: Final = MarketSettings(BTC, 1_000.0, 3, RiskSettings(3_000.0, 50.0))
ROW: Final = LiveOrder(
    Oid(9), Cloid("0x" + "1" * 32), Side.BID, Decimal(100), Decimal(1), Decimal(1), 5
)


def lease(*, fenced: bool = False, paused: bool = False, revision: int = 1) -> LeaseFrame:
    return LeaseFrame(
        generation=4,
        deadline_ms=1,
        lease_ms=5_000,
        renew_ms=500,
        revision=revision,
        settings=SETTINGS,
        limits=LimitsFrame(3_000.0),
        instrument=Instrument(BTC, 7, 3, 40),
        cloid_prefix="f1ee" + "0" * 16,
        state=OpenState(77, Decimal(2), Decimal(50), (ROW,), 77),
        pnl_day_usd=0.0,
        directive=None,
        fenced=fenced,
        paused=paused,
    )


def test_the_same_terms_are_no_news() -> None:
    told = Told.of(lease())
    assert told.news(lease()) == []


def test_terms_that_changed_meanwhile_are_told_once() -> None:
    told = Told.of(lease())
    events = told.news(lease(fenced=True, paused=True, revision=2))
    assert [type(event) for event in events] == [FenceChanged, PauseChanged, SettingsChanged]
    for event in (*events, LimitsChanged(3_000.0)):
        told.note(event)
    assert told.news(lease(fenced=True, paused=True, revision=2)) == []
    assert [type(event) for event in told.news(lease())] == [
        FenceChanged,
        PauseChanged,
        SettingsChanged,
    ]


def test_the_open_state_is_a_snapshot_as_of_the_moment_the_socket_closed() -> None:
    snapshot, position = open_state(lease(), 1_234)
    assert snapshot == OpenOrders(request_id=0, requested_ns=1_234, orders=(ROW,))
    assert position == PositionSeen(77, Decimal(2), Decimal(50))


def test_nothing_that_decides_passes_before_fresh_data() -> None:
    settling = Settling(until_ns=100)
    up, pause = LinkChanged("up", 1), PauseChanged(paused=True)
    assert settling.admit(up, 1) == ([], False)
    assert settling.admit(OutcomeUnknown(3), 2) == ([OutcomeUnknown(3)], False)
    assert settling.admit(pause, 3) == ([], False)
    touch = Bbo(BTC, 5)
    assert settling.admit(touch, 4) == ([touch, up, pause], True)


def test_a_gap_is_told_at_once() -> None:
    settling = Settling(until_ns=100)
    up, gap = LinkChanged("up", 1), LinkChanged("gap", 2)
    settling.admit(up, 1)
    assert settling.admit(gap, 2) == ([up, gap], True)


def test_without_data_the_time_ends_it() -> None:
    settling = Settling(until_ns=100)
    up = LinkChanged("up", 1)
    settling.admit(up, 1)
    assert not settling.over(99)
    assert settling.over(100)
    assert settling.rest() == [up]
    assert settling.admit(OutcomeUnknown(1), 100) == ([OutcomeUnknown(1), up], True)
