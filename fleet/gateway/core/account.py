"""The account as the venue's frames tell it: positions, equity, open orders, touch and marks."""

from decimal import Decimal

import msgspec

from agents.events import LiveOrder, OrderUpdate
from agents.exchange.wire import ClearinghouseState
from agents.market.types import Fill
from fleet.gateway.core.orders import dex_of

_ZERO = Decimal(0)


class Position(msgspec.Struct, frozen=True):
    """Signed coins as of a venue time; fills up to it are in, later ones are not.

    ``isolated_raw``: an isolated position's own cash, by the venue's frame; None: not known.
    """

    sz: Decimal
    entry_px: Decimal | None
    as_of_ms: int
    isolated_raw: Decimal | None = None
    liquidation_px: Decimal | None = None


class Touch(msgspec.Struct, frozen=True):
    """Best prices of one market; ``seen_ms`` is our time."""

    bid_px: float | None
    ask_px: float | None
    venue_ms: int
    seen_ms: int

    @property
    def mid_px(self) -> float | None:
        if self.bid_px is None or self.ask_px is None:
            return None
        return (self.bid_px + self.ask_px) / 2


class DexState(msgspec.Struct, frozen=True):
    """One DEX's clearinghouse at the time of its frame, in its own token."""

    as_of_ms: int
    account_value: Decimal
    raw_usd: Decimal
    margin_used: Decimal
    positions: dict[str, Position]


class Account:
    """The newest word on each part. Fills move positions between the venue's own frames."""

    def __init__(self) -> None:
        self.dexes: dict[str, DexState] = {}
        self.rows: dict[str, dict[int, tuple[str, LiveOrder]]] = {}
        self.touches: dict[str, Touch] = {}
        self.marks: dict[str, float] = {}
        self.oracles: dict[str, float] = {}
        self.mark_seen_ms: dict[str, int] = {}
        self.token_marks: dict[str, float] = {"USDC": 1.0}
        self._after: dict[str, Position] = {}

    # ── positions ────────────────────────────────────────────────────────────────────────────

    def take_state(self, dex: str, state: ClearinghouseState) -> bool:
        """A clearinghouse frame; False if an even newer one is known."""
        held = self.dexes.get(dex)
        if held is not None and state.time < held.as_of_ms:
            return False
        self.dexes[dex] = DexState(
            as_of_ms=state.time,
            account_value=state.margin_summary.account_value,
            raw_usd=state.margin_summary.total_raw_usd,
            margin_used=state.margin_summary.total_margin_used,
            positions={
                row.position.coin: Position(
                    sz=row.position.szi,
                    entry_px=row.position.entry_px,
                    as_of_ms=state.time,
                    isolated_raw=row.position.leverage.raw_usd,
                    liquidation_px=row.position.liquidation_px,
                )
                for row in state.asset_positions
            },
        )
        for coin, after in list(self._after.items()):
            if dex_of(coin) == dex and after.as_of_ms <= state.time:
                del self._after[coin]
        return True

    def take_fill(self, fill: Fill) -> None:
        """A fill booked for the first time; ignored where a frame holds it already."""
        base = self.position(fill.coin)
        if fill.time_ms < base.as_of_ms or (
            fill.time_ms == base.as_of_ms and fill.coin not in self._after
        ):
            return
        sz = fill.start_position_sz + fill.side.sign * fill.sz
        self._after[fill.coin] = Position(
            sz=sz, entry_px=_entry_px(base, fill, sz), as_of_ms=fill.time_ms
        )

    def position(self, coin: str) -> Position:
        after = self._after.get(coin)
        if after is not None:
            return after
        state = self.dexes.get(dex_of(coin))
        if state is None:
            return Position(sz=_ZERO, entry_px=None, as_of_ms=0)
        return state.positions.get(coin) or Position(
            sz=_ZERO, entry_px=None, as_of_ms=state.as_of_ms
        )

    # ── open orders, as the venue lists them ─────────────────────────────────────────────────

    def take_orders(self, dex: str, orders: tuple[tuple[str, LiveOrder], ...]) -> None:
        """All open orders of one DEX; the main one's list also holds spot orders."""
        self.rows[dex] = {row.oid: (coin, row) for coin, row in orders}

    def take_update(self, coin: str, row: OrderUpdate) -> None:
        rows = self.rows.setdefault(dex_of(coin), {})
        if row.status == "open":
            rows[row.oid] = (
                coin,
                LiveOrder(
                    oid=row.oid, cloid=row.cloid, side=row.side, px=row.px,
                    remaining_sz=row.remaining_sz, orig_sz=row.orig_sz, placed_ms=row.status_ms,
                ),
            )  # fmt: skip
        elif row.status != "triggered":
            rows.pop(row.oid, None)

    def drop_cloid(self, market: str, cloid: str) -> None:
        """A cancel was confirmed before the update came."""
        rows = self.rows.get(dex_of(market), {})
        for oid, (_, row) in list(rows.items()):
            if row.cloid == cloid:
                del rows[oid]

    def open_orders(self, market: str) -> list[LiveOrder]:
        rows = self.rows.get(dex_of(market), {})
        return [row for coin, row in rows.values() if coin == market]

    # ── prices ───────────────────────────────────────────────────────────────────────────────

    def mark_px(self, coin: str) -> float | None:
        """The venue's mark, else the mid; None: not known."""
        mark = self.marks.get(coin)
        if mark is not None:
            return mark
        touch = self.touches.get(coin)
        return touch.mid_px if touch else None


def _entry_px(base: Position, fill: Fill, sz: Decimal) -> Decimal | None:
    """Average price of what is held after a fill, until the venue's own frame says it."""
    if not sz:
        return None
    before_sz = fill.start_position_sz
    if before_sz * sz <= 0 or base.entry_px is None:
        return fill.px
    if abs(sz) < abs(before_sz):
        return base.entry_px
    return (base.entry_px * abs(before_sz) + fill.px * fill.sz) / abs(sz)
