"""The ledger's books as laws: the order and number of tellings change nothing, and cash adds up."""

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.gateway.framing import Record
from fleet.gateway.records import Filled, MarketSeen
from fleet.ledger import query
from fleet.ledger.book import Book, Booked, fold
from fleet.ledger.schema import DAY_MS
from fleet.ledger.writer import Ledger

_px = st.decimals("0.0001", "120000", places=4)
_sz = st.decimals("0.00001", "900", places=5)


@st.composite
def histories(draw: st.DrawFn) -> list[Booked]:
    """Fills of one market in the order in which the venue made them, from any first position."""
    position_sz = draw(st.sampled_from([Decimal(0), Decimal("-2.5"), Decimal("0.125")]))
    at_ms = 19_999 * DAY_MS
    history = []
    for n in range(draw(st.integers(1, 14))):
        side = draw(st.sampled_from(Side))
        sz = abs(position_sz) if position_sz and draw(st.booleans()) else draw(_sz)
        # The first stands alone: where a ring of fills of one moment began, nobody can tell.
        at_ms += 1 if n == 1 else draw(st.sampled_from([0, 0, 1, 70, DAY_MS // 3]))
        fill = Fill(
            coin=Coin("BTC"), side=side, px=draw(_px), sz=sz, time_ms=at_ms, tid=Tid(n),
            oid=Oid(draw(st.integers(1, 5))), cloid=None, fee=draw(_px) / 10_000 - 1,
            fee_token="USDC", crossed=draw(st.booleans()), start_position_sz=position_sz,
            closed_pnl=Decimal(0),
        )  # fmt: skip
        history.append(Booked(fill, ours=draw(st.booleans())))
        position_sz += side.sign * sz
    return history


def cash_flow(history: list[Booked]) -> Decimal:
    return -sum((b.fill.side.sign * b.fill.px * b.fill.sz for b in history), Decimal(0))


@given(history=histories(), mark_px=_px)
def test_realised_plus_unrealised_is_the_cash_flow_and_the_position_at_its_mark(
    history: list[Booked], mark_px: Decimal
) -> None:
    book = fold(Book(), history)
    inherited = history[0].fill.start_position_sz * history[0].fill.px
    assert book.position_sz == history[-1].end_sz
    assert book.gaps == 0
    assert book.realized + (book.position_sz * mark_px - book.cost) == (
        cash_flow(history) - inherited + book.position_sz * mark_px
    )
    assert book.fees == sum(b.fill.fee for b in history)


@given(history=histories())
def test_a_flat_book_has_no_cost_left(history: list[Booked]) -> None:
    end_sz = history[-1].end_sz
    if end_sz:
        last = history[-1].fill
        closing = Fill(
            coin=last.coin, side=Side.ASK if end_sz > 0 else Side.BID, px=last.px, sz=abs(end_sz),
            time_ms=last.time_ms + 1, tid=Tid(99), oid=Oid(9), cloid=None, fee=Decimal(0),
            fee_token="USDC", crossed=False, start_position_sz=end_sz, closed_pnl=Decimal(0),
        )  # fmt: skip
        history.append(Booked(closing, ours=True))
    book = fold(Book(), history)
    assert book.position_sz == 0
    assert book.cost == 0


def told(path: Path, batches: list[list[Booked]]) -> dict[str, query.MarketPnl]:
    ledger = Ledger(path)
    seq = 0
    for batch in batches:
        records = []
        for booked in batch:
            seq += 1
            filled = Filled(fill=booked.fill, ours=booked.ours, mid_px=None)
            records.append(Record.of(seq, 1, filled))
        ledger.apply(records)
    ledger.apply([Record.of(seq + 1, 1, MarketSeen("BTC", 20_001 * DAY_MS, None, None, 10.0))])
    ledger.close()
    return query.markets(path)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), history=histories())
def test_incident_04_any_order_and_repetition_and_batches_give_the_same_books(
    data: st.DataObject, history: list[Booked]
) -> None:
    again = data.draw(st.lists(st.sampled_from(history), max_size=6))
    shuffled = data.draw(st.permutations([*history, *again]))
    size = data.draw(st.integers(1, len(shuffled)))
    batches = [shuffled[at : at + size] for at in range(0, len(shuffled), size)]
    with tempfile.TemporaryDirectory() as scratch:
        in_order = told(Path(scratch) / "a.db", [history])
        in_disorder = told(Path(scratch) / "b.db", batches)
        assert in_disorder == in_order
        assert in_order["BTC"].gaps == 0
        days = [query.markets(Path(scratch) / f"{name}.db", 20_000 * DAY_MS) for name in "ab"]
        assert days[0] == days[1]
