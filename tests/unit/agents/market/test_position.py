"""The position: each fill once, average entry, realized P&L, fees as paid."""

from decimal import Decimal

import pytest

from agents.market.position import FILLS_KEPT, Position
from agents.market.types import Coin, Fill, Oid, Side, Tid

D = Decimal


def _fill(tid: int, side: Side, sz: str, px: str, *, time_ms: int = 1_001) -> Fill:
    return Fill(
        coin=Coin("BTC"),
        side=side,
        px=D(px),
        sz=D(sz),
        time_ms=time_ms,
        tid=Tid(tid),
        oid=Oid(1),
        cloid=None,
        fee=D("0.01"),
        fee_token="USDC",
        crossed=False,
        start_position_sz=D(0),
        closed_pnl=D(0),
    )


def _flat() -> Position:
    return Position(sz=D(0), entry_px=None, fills_since_ms=1_000)


def test_incident_4_a_fill_told_twice_counts_once() -> None:
    position = _flat()
    assert position.apply(_fill(1, Side.BID, "0.3", "100"))
    assert not position.apply(_fill(1, Side.BID, "0.3", "100"))
    assert position.apply(_fill(2, Side.BID, "0.2", "110"))
    assert position.sz == D("0.5")
    assert position.entry_px == D(104)
    assert position.fees_usd == D("0.02")


def test_incident_6_replayed_fills_of_before_the_start_do_not_count() -> None:
    position = Position(sz=D(2), entry_px=D(90), fills_since_ms=1_000)
    assert not position.apply(_fill(1, Side.BID, "2", "90", time_ms=1_000))
    assert position.apply(_fill(2, Side.ASK, "1", "95", time_ms=1_001))
    assert position.sz == 1
    assert position.realized_usd == 5


def test_incident_8_order_of_arrival_does_not_matter() -> None:
    fills = [_fill(n, Side.BID if n % 3 else Side.ASK, "0.5", str(100 + n)) for n in range(1, 9)]
    forth, back = _flat(), _flat()
    for fill in fills:
        forth.apply(fill)
    for fill in reversed(fills):
        back.apply(fill)
    assert forth.sz == back.sz


@pytest.mark.parametrize("sign", [1, -1])
def test_reducing_realizes_and_crossing_zero_starts_anew(sign: int) -> None:
    enter, leave = (Side.BID, Side.ASK) if sign > 0 else (Side.ASK, Side.BID)
    position = _flat()
    position.apply(_fill(1, enter, "2", "100"))
    position.apply(_fill(2, leave, "1", "110"))
    assert position.realized_usd == 10 * sign
    assert position.entry_px == 100
    position.apply(_fill(3, leave, "3", "120"))
    assert position.realized_usd == 30 * sign
    assert position.sz == -2 * sign
    assert position.entry_px == 120
    position.apply(_fill(4, enter, "2", "120"))
    assert position.sz == 0
    assert position.entry_px is None
    assert position.unrealized_usd(500.0) == 0.0


def test_unrealized() -> None:
    position = _flat()
    position.apply(_fill(1, Side.ASK, "2", "100"))
    assert position.unrealized_usd(90.0) == pytest.approx(20.0)


def test_ids_are_remembered_within_bounds() -> None:
    position = _flat()
    for tid in range(FILLS_KEPT + 50):
        position.apply(_fill(tid, Side.BID, "1", "100"))
    assert len(position._keys) == FILLS_KEPT
