"""Positions: the venue's frames, and fills between them, each counted once."""

from decimal import Decimal

import msgspec

from agents.exchange.codec import decode_info
from agents.exchange.wire import ClearinghouseState
from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.gateway.core.account import Account, Position, Touch


def state(time_ms: int, szi: str, coin: str = "BTC", entry_px: str = "100.0") -> ClearinghouseState:
    summary = {
        "accountValue": "1000.0", "totalNtlPos": "0.0", "totalRawUsd": "900.0",
        "totalMarginUsed": "5.0",
    }  # fmt: skip
    position = {
        "coin": coin, "szi": szi, "leverage": {"type": "cross", "value": 3}, "entryPx": entry_px,
        "positionValue": "0.0", "unrealizedPnl": "0.0", "marginUsed": "0.0", "maxLeverage": 40,
    }  # fmt: skip
    held = [{"type": "oneWay", "position": position}] if Decimal(szi) else []
    raw = msgspec.json.encode(
        {
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "withdrawable": "1.0",
            "assetPositions": held,
            "time": time_ms,
        }
    )
    return decode_info(raw, ClearinghouseState)


def fill(time_ms: int, start_sz: str, sz: str, side: Side = Side.BID, px: str = "110") -> Fill:
    return Fill(
        coin=Coin("BTC"), side=side, px=Decimal(px), sz=Decimal(sz), time_ms=time_ms, tid=Tid(1),
        oid=Oid(1), cloid=None, fee=Decimal(0), fee_token="USDC", crossed=False,
        start_position_sz=Decimal(start_sz), closed_pnl=Decimal(0),
    )  # fmt: skip


def test_a_fill_moves_the_position_until_the_venues_frame_holds_it() -> None:
    account = Account()
    account.take_state("", state(10, "1.0"))
    account.take_fill(fill(20, "1", "1"))
    assert account.position("BTC") == Position(Decimal(2), Decimal(105), 20)
    account.take_state("", state(20, "2.0", entry_px="105.0"))
    assert account.position("BTC") == Position(Decimal("2.0"), Decimal("105.0"), 20)


def test_a_fill_that_a_frame_holds_already_is_not_added() -> None:
    account = Account()
    account.take_state("", state(20, "2.0"))
    account.take_fill(fill(20, "1", "1"))
    account.take_fill(fill(15, "0", "1"))
    assert account.position("BTC").sz == 2


def test_fills_of_one_moment_all_count() -> None:
    account = Account()
    account.take_state("", state(10, "0"))
    account.take_fill(fill(20, "0", "1"))
    account.take_fill(fill(20, "1", "0.5"))
    assert account.position("BTC").sz == Decimal("1.5")


def test_an_older_frame_is_not_taken() -> None:
    account = Account()
    account.take_state("", state(20, "2.0"))
    assert not account.take_state("", state(10, "1.0"))
    assert account.position("BTC").sz == 2


def test_entry_price_through_reducing_and_turning() -> None:
    account = Account()
    account.take_state("", state(10, "2.0"))
    account.take_fill(fill(20, "2", "1", Side.ASK, "120"))
    assert account.position("BTC").entry_px == 100
    account.take_fill(fill(30, "1", "3", Side.ASK, "130"))
    assert account.position("BTC") == Position(Decimal(-2), Decimal(130), 30)
    account.take_fill(fill(40, "-2", "2", Side.BID, "90"))
    assert account.position("BTC") == Position(Decimal(0), None, 40)


def test_positions_of_one_dex_leave_anothers_alone() -> None:
    account = Account()
    account.take_state("hyna", state(10, "1.0", "hyna:BTC"))
    account.take_state("", state(10, "0"))
    assert account.position("hyna:BTC").sz == 1
    assert account.position("BTC").sz == 0


def test_the_mark_is_the_venues_else_the_mid_else_unknown() -> None:
    account = Account()
    assert account.mark_px("BTC") is None
    account.touches["BTC"] = Touch(bid_px=99.0, ask_px=101.0, venue_ms=1, seen_ms=1)
    assert account.mark_px("BTC") == 100.0
    account.touches["BTC"] = Touch(bid_px=None, ask_px=101.0, venue_ms=1, seen_ms=1)
    assert account.mark_px("BTC") is None
    account.marks["BTC"] = 100.5
    assert account.mark_px("BTC") == 100.5
