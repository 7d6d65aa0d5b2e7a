"""Money that moves between DEXs is neither lost nor won: loss is measured net of transfers. Pure.

Two sources are paired with the account's frames: the ledger, which knows what the venue moved and
when, and the supervisor's own transfers, which are known before they happen. While one of those is
under way, the DEXs at its ends count as they last were; once the ledger has it, the baseline moves
by as much as came or went, at the moment of each DEX's own frame: whichever frame comes first, no
round sees a loss.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from fleet.gateway.api import DexView, GatewayStatus
from fleet.risk.baseline import Baseline

PATIENCE_MS: Final = 60_000
"""So long a transfer that has happened is waited for in the ledger."""


class UnderWay(msgspec.Struct, frozen=True):
    """One of our transfers. ``dexes``: its ends, but for spot; ``venue_ms``: once it happened."""

    dexes: frozenset[str]
    intended_ms: int
    is_open: bool
    venue_ms: int | None


def unsettled(
    transfers: Iterable[UnderWay], booked: Collection[tuple[str, int]], venue_now_ms: int
) -> frozenset[str]:
    """DEXs whose account may or may not hold a transfer yet. ``booked``: (DEX, venue ms) in the
    ledger.
    """
    found: set[str] = set()
    for transfer in transfers:
        at_ms = transfer.venue_ms
        if at_ms is None:
            if transfer.is_open:
                found |= transfer.dexes
        elif venue_now_ms - at_ms < PATIENCE_MS:
            found |= {dex for dex in transfer.dexes if (dex, at_ms) not in booked}
    return frozenset(found)


def held_still(
    status: GatewayStatus, unsure: Collection[str], last: Mapping[str, DexView]
) -> GatewayStatus | None:
    """The status with those DEXs as they last were; None where that is not known."""
    if not unsure:
        return status
    if any(dex not in last for dex in unsure):
        return None
    dexes = tuple(
        msgspec.structs.replace(view, account_value=last[view.dex].account_value)
        if view.dex in unsure
        else view
        for view in status.dexes
    )
    return msgspec.structs.replace(status, dexes=dexes)


def shifted(
    kept: Baseline | None,
    moved: Mapping[str, Decimal],
    marks: Mapping[str, float | None],
    unsure: Collection[str],
) -> Baseline | None:
    """The baseline after what came to each DEX (negative: left it) since it was kept.

    ``moved``: all that ever came, up to each DEX's frame, in its token. One that is kept for the
    first time takes it as it is: today's equity has it already.
    """
    if kept is None:
        return None
    now = {dex: str(amount) for dex, amount in moved.items()}
    if kept.moved is None:
        return msgspec.structs.replace(kept, moved=now)
    by_usd = 0.0
    for dex, amount in moved.items():
        if dex in unsure:
            now[dex] = kept.moved.get(dex, "0")
            continue
        by_usd += float(amount - Decimal(kept.moved.get(dex, "0"))) * (marks.get(dex) or 1.0)
    return msgspec.structs.replace(
        kept,
        day_open_usd=kept.day_open_usd + by_usd,
        peak_usd=kept.peak_usd + by_usd,
        moved={**kept.moved, **now},
    )
