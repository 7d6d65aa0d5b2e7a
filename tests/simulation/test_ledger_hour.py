"""The ledger against the venue itself, over trading in which everything happens that can (I4, I6).

Minutes round a full hour here; an hour in ``make soak``.
"""

from decimal import Decimal, localcontext
from typing import Any

import msgspec
import pytest

from agents.exchange.codec_account import to_fill
from agents.exchange.wire import WsFill
from fleet.gateway.core.cloids import parse
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Equity, Filled, MarketSeen
from fleet.ledger import query
from fleet.ledger.cash import cash
from fleet.ledger.peak import drawdown
from fleet.ledger.periods import Period, periods
from fleet.ledger.query import EXACT
from fleet.ledger.rebuild import copied, differences, rebuilt
from fleet.ledger.tokens import token_periods
from tests.simulation.ledger_hour import COINS, FUND, ME, START_MS, Hour

MINUTES = 7


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Hour:
    told = Hour(3, tmp_path_factory.mktemp("hour") / "ledger.db")
    told.run(MINUTES)
    return told


def test_all_of_it_happened(hour: Hour) -> None:
    for what in ("by hand", "transfer", "funding", "rebate", "paid", "liquidation",
                 "Auto-Deleveraging"):  # fmt: skip
        assert hour.happened.get(what, 0) > 0, hour.happened
    fills = [body for body in hour.records if isinstance(body, Filled)]
    assert any(body.ours and body.fill.sz < Decimal("0.02") for body in fills), "in part"
    assert any(not body.ours for body in fills)


def test_every_cent_of_every_token_is_explained(hour: Hour) -> None:
    books = cash(hour.path)
    assert set(books) == {"", "hyna"}
    for dex, book in books.items():
        assert book.drift == 0, book.text
        assert book.raw == Decimal(hour.state(dex)["marginSummary"]["totalRawUsd"])
        assert book.base_raw == FUND
        assert book.unread == ()


def test_our_profit_and_equity_are_the_venues(hour: Hour) -> None:
    books, pnl = cash(hour.path), query.markets(hour.path)
    for dex, book in books.items():
        state = hour.state(dex)
        held = {row["position"]["coin"]: row["position"] for row in state["assetPositions"]}
        total = Decimal(0)
        for market, row in pnl.items():
            if market.rpartition(":")[0] != dex:
                continue
            position = held.get(market)
            sz = Decimal(position["szi"]) if position else Decimal(0)
            assert row.position_sz == sz
            assert row.gaps == 0
            mark = Decimal(str(hour.exchange.floor.mark_px(market)))  # type: ignore[arg-type]
            with localcontext(EXACT):
                unrealized = sz * mark - row.cost_usd
                total += row.realized_usd + unrealized - row.fees_usd + row.funding_usd
            if position:
                assert unrealized == pytest.approx(
                    Decimal(position["unrealizedPnl"]), abs=Decimal("0.001")
                )
        value = Decimal(state["marginSummary"]["accountValue"])
        assert value == FUND + total + book.moved


def one_each(hour: Hour) -> dict[str, Period]:
    found = periods(hour.path, (START_MS, hour.now_ms + 1))
    return {period.market: period for period in found}


def test_attribution_from_the_journaled_mids_sums_to_the_profit(hour: Hour) -> None:
    for market, period in one_each(hour).items():
        fills = sorted(
            (b for b in hour.records if isinstance(b, Filled) and b.fill.coin == market),
            key=lambda b: (b.fill.time_ms, b.fill.tid),
        )
        last = [b for b in hour.records if isinstance(b, MarketSeen) and b.market == market][-1]
        assert last.bid_px is not None
        assert last.ask_px is not None
        end_mid = (Decimal(repr(last.bid_px)) + Decimal(repr(last.ask_px))) / 2
        spread = inventory = held = Decimal(0)
        before = None
        with localcontext(EXACT):
            for body in fills:
                fill = body.fill
                assert body.mid_px is not None
                mid = Decimal(repr(body.mid_px))
                if before is not None:
                    inventory += held * (mid - before)
                signed = fill.side.sign * fill.sz
                spread += signed * (mid - fill.px)
                held, before = held + signed, mid
            if before is not None:
                inventory += held * (end_mid - before)
            basis = held * (Decimal(repr(last.mark_px)) - end_mid)
            assert period.spread_usd == spread
            assert period.inventory_usd == inventory
            assert period.basis_usd == basis
            parts = spread + inventory + basis - period.fees_usd + period.funding_usd
            assert parts == period.total_usd
        assert period.without_mid == 0
    assert set(COINS) == set(one_each(hour))


def test_dollars_gained_are_what_the_markets_earned_and_what_the_token_did(hour: Hour) -> None:
    (_, hyna) = token_periods(hour.path, (START_MS, hour.now_ms + 1))
    assert hyna.mark_usd is not None
    assert hyna.token_mark_usd is not None
    frames = [b for b in hour.records if isinstance(b, Equity) and b.dex == "hyna"]
    first, last = frames[0], max(frames, key=lambda frame: frame.as_of_ms)
    assert first.token_mark_usd is not None
    earned = one_each(hour)["hyna:BTC"].total_usd
    assert earned is not None
    moved_usd = sum(amount * mark_usd for amount, mark_usd in hour.moved_at_marks("hyna"))
    worth = last.account_value * hyna.mark_usd - first.account_value * Decimal(
        repr(first.token_mark_usd)
    )
    gained = earned * hyna.mark_usd + hyna.token_mark_usd
    assert float(gained) == pytest.approx(float(worth) - moved_usd, abs=1.0)


def test_transfers_are_neither_loss_nor_gain(hour: Hour) -> None:
    lost = drawdown(hour.path)
    assert lost is not None
    moved = sum(abs(float(book.moved)) for book in cash(hour.path).values())
    worst = max(abs(float(p.total_usd or 0)) for p in one_each(hour).values())
    swing = lost.peak_usd - lost.net_usd
    assert moved > 5 * worst, "more was moved than earned or lost"
    assert 0 <= swing < 4 * worst
    assert lost.share < 0.01


def venue_fills(hour: Hour) -> list[Filled]:
    """As a rebuild asks for them: no mids, and who placed them only by their cloids."""
    told: Any = hour.exchange.info({"type": "userFills", "user": ME}, hour.now_ms)
    rows = [msgspec.convert(row, WsFill, strict=False) for row in told]
    return [
        Filled(fill, ours=parse(fill.cloid) is not None, mid_px=None) for fill in map(to_fill, rows)
    ]


def test_the_ledger_made_again_from_log_and_venue_is_the_same(hour: Hour) -> None:
    again, copy = hour.path.with_name("again.db"), hour.path.with_name("copy.db")
    seq = copied(hour.path, copy)
    rebuilt(hour.log.folder, again, copy, venue_fills(hour), seq).close()
    assert differences(copy, again) == []
    assert differences(hour.path, again) == []
    assert differences(again, hour.path) == []
    assert query.markets(again) == query.markets(hour.path)
    assert cash(again) == cash(hour.path)


def test_a_fill_that_the_log_lost_comes_back_from_the_venue(hour: Hour) -> None:
    part = hour.path.with_name("part")
    part.mkdir()
    log = ActionLog(part)
    log.open()
    fills = [at for at, body in enumerate(hour.records) if isinstance(body, Filled)]
    for at, body in enumerate(hour.records):
        if at != fills[len(fills) // 2]:
            log.append(body, hour.now_ms * 1_000_000)
    log.close()
    holed, mended = part / "holed.db", part / "mended.db"
    rebuilt(part, holed).close()
    assert any(book.drift for book in cash(holed).values()), "the cash identity tells"
    assert any("fill" in line for line in differences(hour.path, holed))
    rebuilt(part, mended, None, venue_fills(hour)).close()
    assert {dex: book.drift for dex, book in cash(mended).items()} == {"": 0, "hyna": 0}
    whole = query.markets(hour.path)
    for market, pnl in query.markets(mended).items():
        assert (pnl.position_sz, pnl.realized_usd, pnl.fees_usd, pnl.gaps) == (
            whole[market].position_sz, whole[market].realized_usd, whole[market].fees_usd, 0,
        )  # fmt: skip
