"""From the gateway's frames to the engine's events, one market's share of each."""

from decimal import Decimal

from agents.events import (
    AssetCtx,
    Bbo,
    Book,
    BudgetChanged,
    DirectiveReceived,
    DrainRequested,
    Event,
    FenceChanged,
    Fills,
    GammaRowReceived,
    HoldingsSeen,
    LimitsChanged,
    LinkChanged,
    PauseChanged,
    PositionSeen,
    SettingsChanged,
    Trades,
)
from agents.exchange.codec import Frame, UserFills, UserOrderUpdates
from agents.exchange.downstream import (
    BudgetFrame,
    DirectiveFrame,
    DrainFrame,
    FenceFrame,
    GammaRowFrame,
    GatewayFrame,
    HoldingsFrame,
    LimitsFrame,
    LinkFrame,
    PauseFrame,
    PositionsFrame,
    SettingsFrame,
)
from agents.market.types import Coin


def events_of(frame: Frame, coin: Coin) -> tuple[Event, ...]:
    """Events of a frame of the venue's protocol; empty where it says nothing of this market."""
    match frame:
        case Book() | Bbo() | AssetCtx():
            return (frame,) if frame.coin == coin else ()
        case Trades():
            return (frame,) if frame.trades and frame.trades[0].coin == coin else ()
        case UserOrderUpdates(rows=rows):
            return tuple(update for row_coin, update in rows if row_coin == coin)
        case UserFills(is_snapshot=is_snapshot, fills=fills):
            ours = tuple(fill for fill in fills if fill.coin == coin)
            return (Fills(ours, is_snapshot),) if ours or is_snapshot else ()
        case _:
            return ()


def event_of_gateway(frame: GatewayFrame, coin: Coin) -> Event | None:  # noqa: C901  (a case a frame)
    """The event that a frame of the ``gw`` channel is; None for those that the shell handles."""
    event: Event | None = None
    match frame:
        case LinkFrame():
            event = LinkChanged(frame.state, frame.since_ms, frame.venue_offset_ms, frame.feed)
        case FenceFrame():
            event = FenceChanged(frame.closed, frame.reason)
        case LimitsFrame():
            event = LimitsChanged(frame.position_max_usd)
        case BudgetFrame():
            event = BudgetChanged(frame.request_usd, frame.pace_s, frame.levels_share)
        case PositionsFrame():
            position_sz = frame.positions.get(coin, Decimal(0))
            event = PositionSeen(
                frame.as_of_ms, position_sz, frame.entry_px,
                frame.liquidation_px, frame.day, frame.cash_day_usd,
            )  # fmt: skip
        case DirectiveFrame():
            event = DirectiveReceived(frame.seq, frame.as_of_ms, frame.mode, frame.reason)
        case GammaRowFrame():
            event = GammaRowReceived(frame.row)
        case HoldingsFrame():
            event = HoldingsSeen(frame.holdings)
        case SettingsFrame():
            event = SettingsChanged(frame.revision, frame.settings)
        case PauseFrame():
            event = PauseChanged(frame.paused)
        case DrainFrame():
            event = DrainRequested(frame.deadline_ms)
        case _:
            pass
    return event
