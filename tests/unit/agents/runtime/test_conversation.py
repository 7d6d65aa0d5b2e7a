"""One agent's side of its connection: what is said when, over the end of a gateway too."""

from decimal import Decimal
from typing import Any

import msgspec

from agents.commands import Command, Renew
from agents.events import Event
from agents.exchange.downstream import (
    Acquire,
    Continue,
    GatewayFrame,
    LeaseFrame,
    LimitsFrame,
    LinkFrame,
    OpenState,
    Revoked,
    ToAgent,
)
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime.conversation import LEASE_WAIT_S, Conversation, Say
from agents.settings import MarketSettings, RiskSettings

BTC = Coin("BTC")
NOW_NS = 1_795_000_000 * NS_PER_S
LEASE = LeaseFrame(
    generation=4, deadline_ms=2_000_000_000_000, lease_ms=5_000, renew_ms=500, revision=1,
    settings=MarketSettings(BTC, 1_000.0, 3, RiskSettings(3_000.0, 50.0)),
    limits=LimitsFrame(3_000.0), instrument=Instrument(BTC, 7, 3, 40),
    cloid_prefix="f1ee" + "0" * 16,
    state=OpenState(as_of_ms=1, position_sz=Decimal(0), entry_px=None),
    pnl_day_usd=0.0, directive=None,
)  # fmt: skip


class Ear:
    """Keeps what a conversation tells."""

    def __init__(self) -> None:
        self.leases = 0
        self.events: list[Event] = []
        self.odds: list[str] = []

    def begun(self, lease: LeaseFrame, now_ns: int) -> None:
        assert lease.generation == LEASE.generation
        assert now_ns >= NOW_NS
        self.leases += 1

    def seen(self, event: Event, now_ns: int, commands: list[Command]) -> None:
        del now_ns, commands
        self.events.append(event)

    def odd(self, what: str, text: str) -> None:
        self.odds.append(f"{what}: {text}")


def conversation() -> tuple[Conversation, Ear]:
    ear = Ear()
    asked = Acquire(market=BTC, protocol=1, build="b", token="t", process="p", pid=1)
    return Conversation(asked, ear), ear


def frame(inner: GatewayFrame) -> bytes:
    return msgspec.json.encode(ToAgent(inner))


def begun() -> tuple[Conversation, Ear]:
    talk, ear = conversation()
    for say in talk.take(frame(LEASE), NOW_NS):
        talk.said(say, NOW_NS, sent=True)
    assert ear.leases == 1
    return talk, ear


def types(says: list[Say]) -> list[Any]:
    return [msgspec.json.decode(say.data).get("method") for say in says]


def test_no_lease_in_time_ends_it() -> None:
    talk, _ = conversation()
    assert talk.tick(NOW_NS) == []
    assert talk.left is None
    talk.tick(NOW_NS + round((LEASE_WAIT_S + 1) * NS_PER_S))
    assert talk.left is not None
    assert "no lease" in talk.left.reason


def test_what_cannot_be_read_is_told_and_passed_over() -> None:
    talk, ear = begun()
    assert talk.take(b"{", NOW_NS) == []
    assert talk.left is None
    assert [odd.split(":")[0] for odd in ear.odds] == ["malformed"]


def test_nothing_is_said_once_the_lease_may_have_run_out() -> None:
    talk, ear = begun()
    seen = len(ear.events)
    late_ns = NOW_NS + LEASE.lease_ms * NS_PER_MS
    assert talk.may_say(late_ns - 1)
    assert talk.tick(late_ns) == []
    assert len(ear.events) == seen
    assert talk.left is not None
    assert not talk.may_say(late_ns)


def test_a_renewal_that_did_not_leave_renews_nothing() -> None:
    talk, _ = begun()
    second_ns = NOW_NS + NS_PER_S
    renewals = [say for say in talk.tick(second_ns) if isinstance(say.command, Renew)]
    assert renewals
    talk.said(renewals[0], second_ns, sent=False)
    late_ns = NOW_NS + LEASE.lease_ms * NS_PER_MS
    assert not talk.may_say(late_ns)


def test_a_missing_link_frame_and_a_revocation_end_it() -> None:
    for frames in (
        [LinkFrame(1, "up", 0, 0.0), LinkFrame(3, "gap", 0, 0.0)],
        [Revoked(reason="superseded")],
    ):
        talk, _ = begun()
        for each in frames:
            talk.take(frame(each), NOW_NS)
        assert talk.left is not None
        assert talk.left.code == 75


def test_over_a_restart_it_subscribes_again_and_asks_for_the_fills_it_missed() -> None:
    talk, ear = begun()
    ask = talk.lost("gone", NOW_NS + NS_PER_S)
    assert isinstance(ask, Continue)
    assert ask.generation == LEASE.generation
    back_ns = NOW_NS + 2 * NS_PER_S
    says = talk.continued(LEASE, back_ns)
    assert types(says)[:2] == ["subscribe", "subscribe"]
    assert any(b"userFillsByTime" in say.data for say in says)
    assert ear.leases == 1, "the same engine goes on"
    assert talk.may_say(back_ns + LEASE.lease_ms * NS_PER_MS - 1)


def test_without_a_lease_or_after_it_nobody_asks_to_continue() -> None:
    talk, _ = conversation()
    assert talk.lost("gone", NOW_NS) is None
    talk, _ = begun()
    assert talk.lost("gone", NOW_NS + LEASE.lease_ms * NS_PER_MS) is None
