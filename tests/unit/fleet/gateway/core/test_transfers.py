"""What a row of the venue's ledger did to the balances of an account's DEXs."""

from decimal import Decimal

import pytest

from agents.exchange.codec import decode_frame
from agents.exchange.frames import LedgerRows
from agents.exchange.wire import LedgerDelta, LedgerUpdateWire
from fleet.gateway.core.transfers import moves

ME, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20


def row(kind: str, **fields: object) -> LedgerUpdateWire:
    delta = LedgerDelta(type=kind, **fields)  # type: ignore[arg-type]  # as the cases below say
    return LedgerUpdateWire(time=7, hash="0x1", delta=delta)


def send(user: str, destination: str, source: str, target: str, **fields: object) -> object:
    return row(
        "send", user=user, destination=destination, source_dex=source, destination_dex=target,
        token="USDE:0xf00", amount=Decimal(5), **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (row("deposit", usdc=Decimal(10)), [("", "USDC", "10")]),
        (row("withdraw", usdc=Decimal(9), fee=Decimal(1)), [("", "USDC", "-10")]),
        (row("accountClassTransfer", usdc=Decimal(3), to_perp=True), [("", "USDC", "3")]),
        (row("accountClassTransfer", usdc=Decimal(3), to_perp=False), [("", "USDC", "-3")]),
        (row("internalTransfer", usdc=Decimal(2), user=ME, destination=OTHER, fee=Decimal(1)),
         [("", "USDC", "-3")]),
        (row("internalTransfer", usdc=Decimal(2), user=OTHER, destination=ME.upper()),
         [("", "USDC", "2")]),
        (row("subAccountTransfer", usdc=Decimal(2), user=ME, destination=OTHER),
         [("", "USDC", "-2")]),
        (send(ME, ME, "spot", "hyna"), [("hyna", "USDE", "5")]),
        (send(ME, ME, "hyna", ""), [("hyna", "USDE", "-5"), ("", "USDE", "5")]),
        (send(ME, OTHER, "hyna", "hyna"), [("hyna", "USDE", "-5")]),
        (send(OTHER, ME, "spot", "spot"), []),
        (row("spotTransfer", token="USDC", amount=Decimal(4)), []),
        (row("liquidation", account_value=Decimal(4)), []),
        (row("vaultDeposit", usdc=Decimal(4)), [("", "", "None")]),
        (row("deposit"), [("", "", "None")]),
    ],
)  # fmt: skip
def test_what_a_row_moved(told: LedgerUpdateWire, expected: list[tuple[str, str, str]]) -> None:
    found = [(m.dex, m.token, str(m.amount)) for m in moves(told, ME)]
    assert found == expected


def test_a_frame_of_the_venue_is_read_with_kinds_that_nobody_knows() -> None:
    raw = (
        b'{"channel":"userNonFundingLedgerUpdates","data":{"isSnapshot":true,"user":"0x1",'
        b'"nonFundingLedgerUpdates":[{"time":1,"hash":"0x2","delta":{"type":"deposit",'
        b'"usdc":"200079.847397"}},{"time":2,"hash":"0x3","delta":{"type":"rewardsClaim",'
        b'"amount":"1.5","extra":[1]}}]}}'
    )
    frame = decode_frame(raw)
    assert isinstance(frame, LedgerRows)
    assert [r.delta.type for r in frame.rows] == ["deposit", "rewardsClaim"]
    assert frame.rows[0].delta.usdc == Decimal("200079.847397")
