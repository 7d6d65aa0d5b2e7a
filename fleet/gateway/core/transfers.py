"""Money that moved other than by trades and funding: what a row of the venue's ledger did where.

    deposit, withdraw          USDC into and out of the main DEX; a withdrawal's fee goes too
    accountClassTransfer       USDC between spot and the main DEX
    send                       a token between DEXs, spot and addresses
    internalTransfer           USDC of the main DEX to or from another address
    subAccountTransfer         likewise, between master and sub-account
    liquidation, spotTransfer  nothing on a DEX: what a liquidation cost stands in its fills

A row of another kind is recorded without an amount: if it moved money on a DEX, the cash identity
says how much.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from agents.exchange.wire import LedgerDelta, LedgerUpdateWire
from fleet.gateway.records import Moved

SPOT: Final = "spot"
USDC: Final = "USDC"
_ZERO: Final = Decimal(0)
_STILL: Final = frozenset({"liquidation", "spotTransfer", "spotGenesis"})


def moves(row: LedgerUpdateWire, address: str) -> Iterator[Moved]:
    """What the row did to the account's balances on its DEXs: one a DEX, received as positive."""
    delta = row.delta
    if delta.type == "send":
        token = delta.token or USDC
        for dex, change in _ends(delta, address, delta.amount, delta.source_dex or "").items():
            if dex != SPOT and change:
                yield _moved(row, dex, token.partition(":")[0], change)
    elif (amount := _main(delta, address)) is not None:
        yield _moved(row, "", USDC, amount)
    elif delta.type not in _STILL:
        yield _moved(row, "", "", None)


def _moved(row: LedgerUpdateWire, dex: str, token: str, amount: Decimal | None) -> Moved:
    return Moved(
        what=row.delta.type, dex=dex, token=token, time_ms=row.time, hash=row.hash, amount=amount
    )


def _main(delta: LedgerDelta, address: str) -> Decimal | None:
    """The change of the main DEX's balance; None if the kind does not say."""
    usdc, fee = delta.usdc, delta.fee or _ZERO
    if usdc is None:
        return None
    match delta.type:
        case "deposit":
            return usdc
        case "withdraw":
            return -usdc - fee
        case "accountClassTransfer" if delta.to_perp is not None:
            return usdc if delta.to_perp else -usdc
        case "internalTransfer" | "subAccountTransfer":
            return sum(_ends(delta, address, usdc, "").values(), _ZERO)
        case _:
            return None


def _ends(
    delta: LedgerDelta, address: str, amount: Decimal | None, source: str
) -> dict[str, Decimal]:
    """DEX -> change: out of ``source`` where the account sent, into where it received."""
    changes: dict[str, Decimal] = {}
    if amount is None:
        return changes
    if (delta.user or "").lower() == address:
        changes[source] = -amount - (delta.fee or _ZERO)
    if (delta.destination or "").lower() == address:
        target = delta.destination_dex or ""
        changes[target] = changes.get(target, _ZERO) + amount
    return changes
