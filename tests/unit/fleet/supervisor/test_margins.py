"""Isolated positions get what a new one would be given, within the market's margin."""

from decimal import Decimal

import msgspec
import pytest

from agents.exchange.wire_account import ClearinghouseState
from agents.market.instrument import Instrument
from agents.market.types import Coin, Side
from fleet.gateway.api import MarketView
from fleet.gateway.core.account import Account
from fleet.supervisor.margins import TopUp, action, top_up
from tests.unit.agents.sim.desk import ALICE, SOL, Desk, order
from tests.unit.fleet.views import NOW_MS, dex_view, view


def held(equity: str, sz: str = "6", entry_px: str = "100") -> MarketView:
    """A position at a mark of 100 with so much equity; 3x, margin 1000."""
    raw = Decimal(equity) - Decimal(sz) * 100
    return view("hyna:BTC", position_sz=Decimal(sz), entry_px=Decimal(entry_px), isolated_raw=raw)


@pytest.mark.parametrize(
    ("seen", "amount"),
    [
        (held("200"), None),
        (held("170"), None),
        (held("150"), "50.00"),
        (held("20"), "180.00"),
        (held("150", sz="-6"), "50.00"),
        (held("100", entry_px="240"), "60.00"),  # 940 of its 1000 are in it already
        (held("100", entry_px="260"), None),  # all of it is
        (view("hyna:BTC"), None),
        (view("hyna:BTC", position_sz=Decimal(6), entry_px=Decimal(100)), None),
    ],
)
def test_what_it_gets(seen: MarketView, amount: str | None) -> None:
    step = top_up(seen, dex_view("hyna"))
    assert (None if step is None else str(step.amount)) == amount


def test_never_more_than_is_free_on_the_dex() -> None:
    poor = dex_view("hyna", account_value=Decimal(130), margin_used=Decimal(100))
    step = top_up(held("20"), poor)
    assert step is not None
    assert step.amount == 30
    assert top_up(held("20"), dex_view("hyna", account_value=Decimal(0))) is None


def test_the_cap_is_in_usd_at_the_tokens_mark() -> None:
    seen = held("100", sz="30")
    step = top_up(seen, dex_view("hyna", token_mark_usd=1.25))
    assert step is not None
    assert step.amount == 700  # 800 of the token, 100 of them in it already


def test_one_frame_asks_under_one_key() -> None:
    seen = held("150")
    step = top_up(seen, dex_view("hyna"))
    assert step is not None
    assert seen.instrument is not None
    post = action(step, seen.instrument)
    assert post.key == f"margin-hyna:BTC-{NOW_MS}"
    assert post.action["ntli"] == 50_000_000


def test_the_exchange_takes_it_and_its_frame_then_asks_for_nothing() -> None:
    """The whole way: the venue's frame, the account's view of it, the action, the next frame."""
    desk = Desk(usd=10_000)
    desk.act(ALICE, {"type": "updateLeverage", "asset": SOL, "isCross": False, "leverage": 3})
    desk.flow("SOL", Side.ASK, "119", "10")
    assert "filled" in desk.place(ALICE, order(SOL, "B", "119", "10", tif="Ioc"))[0]
    desk.exchange.set_oracle(Coin("SOL"), Decimal(105))
    desk.exchange.floor.tallies[Coin("SOL")].mark_px = Decimal(105)

    def step(mark_px: float) -> TopUp | None:
        account = Account()
        raw = desk.ask("clearinghouseState", user=ALICE, dex="")
        frame = msgspec.convert(raw, ClearinghouseState, strict=False)
        account.take_state("", frame)
        position = account.position("SOL")
        seen = view("SOL", position_sz=position.sz, entry_px=position.entry_px, mark_px=mark_px,
                    isolated_raw=position.isolated_raw)  # fmt: skip
        dex = dex_view("", account_value=frame.margin_summary.account_value,
                       margin_used=frame.margin_summary.total_margin_used)  # fmt: skip
        return top_up(seen, dex)

    asked = step(105.0)
    assert asked is not None
    assert asked.amount == pytest.approx(Decimal(350) - Decimal("256.66"), abs=Decimal("0.05"))
    instrument = Instrument(Coin("SOL"), asset_id=SOL, sz_decimals=2, leverage_max=20)
    assert desk.act(ALICE, action(asked, instrument).action)["status"] == "ok"
    assert step(105.0) is None
