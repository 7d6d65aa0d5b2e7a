"""When our orders fill on a tape: behind the queue, once a print, never by old or repeated ones."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from agents.market.types import Coin, Side
from agents.sim.market import Execution, Placement, RestingOrder
from agents.sim.tape import BboRow, BookRow, LevelRow, Outage, Tape, TapeFrame, TradeRow
from agents.sim.tape_market import TapeMarket
from agents.sim.universe import default_universe

ETH = Coin("ETH")
OURS, THEIRS = "0x" + "1" * 40, "0x" + "2" * 40
BIDS = {"100": "5", "99": "7", "97": "2"}
ASKS = {"101": "4", "102": "6", "104": "1"}


def rows(levels: dict[str, str]) -> tuple[LevelRow, ...]:
    return tuple(LevelRow(Decimal(px), Decimal(sz)) for px, sz in levels.items())


class Run:
    """A market fed by hand; the first frame of trades is spent, as the venue's replay."""

    def __init__(self, *, replayed: bool = True) -> None:
        self.market = TapeMarket(ETH)
        self.now_ms = 1_000
        self._oid = 0
        self._tid = 0
        self.book()
        if replayed:
            self.prints(("A", "90", "100"))

    def book(
        self, bids: dict[str, str] | None = None, asks: dict[str, str] | None = None
    ) -> tuple[Execution, ...]:
        self.now_ms += 100
        levels = rows(BIDS if bids is None else bids), rows(ASKS if asks is None else asks)
        return self._apply(BookRow(ETH, self.now_ms, levels))

    def bbo(self, bid: tuple[str, str], ask: tuple[str, str]) -> tuple[Execution, ...]:
        self.now_ms += 100
        touch = rows(dict([bid])) + rows(dict([ask]))
        return self._apply(BboRow(ETH, self.now_ms, (touch[0], touch[1])))

    def prints(self, *trades: tuple[str, str, str], tid: int | None = None) -> list[str]:
        """Prints of one frame; the fills as ``oid:px:sz``."""
        self.now_ms += 100
        return told(self._apply(self.trades(trades, self.now_ms, tid)))

    def old_prints(self, time_ms: int, *trades: tuple[str, str, str]) -> list[str]:
        return told(self._apply(self.trades(trades, time_ms, None)))

    def trades(
        self, trades: Iterable[tuple[str, str, str]], time_ms: int, tid: int | None
    ) -> tuple[TradeRow, ...]:
        made = []
        for side, px, sz in trades:
            self._tid += 1
            assert side in {"A", "B"}
            made.append(
                TradeRow(
                    ETH,
                    "A" if side == "A" else "B",
                    Decimal(px),
                    Decimal(sz),
                    time_ms,
                    tid or self._tid,
                )
            )
        return tuple(made)

    def order(
        self, side: Side, px: str, sz: str, tif: str = "Alo", owner: str = OURS
    ) -> RestingOrder:
        self._oid += 1
        assert tif in {"Alo", "Ioc", "Gtc"}
        return RestingOrder(
            oid=self._oid,
            owner=owner,
            side=side,
            px=Decimal(px),
            sz=Decimal(sz),
            orig_sz=Decimal(sz),
            placed_ms=self.now_ms,
            tif="Alo" if tif == "Alo" else "Ioc" if tif == "Ioc" else "Gtc",
        )

    def place(self, side: Side, px: str, sz: str, tif: str = "Alo", owner: str = OURS) -> Placement:
        return self.market.place(self.order(side, px, sz, tif, owner), self.now_ms)

    def _apply(self, data: BookRow | BboRow | tuple[TradeRow, ...]) -> tuple[Execution, ...]:
        return self.market.apply(TapeFrame(self.now_ms * 1_000_000, ETH, "", b"", data))


def told(executions: Iterable[Execution]) -> list[str]:
    found = []
    for execution in executions:
        assert execution.maker is not None
        assert execution.side is execution.maker.side.opposite
        found.append(f"{execution.maker.oid}:{execution.px}:{execution.sz}")
    return found


def test_prints_at_our_price_eat_the_queue_ahead_first() -> None:
    run = Run()
    assert run.place(Side.BID, "100", "2").resting
    assert run.prints(("A", "100", "3")) == []
    assert run.prints(("A", "100", "2.5")) == ["1:100:0.5"]
    assert run.prints(("A", "100", "9")) == ["1:100:1.5"]
    assert run.market.order(1) is None


def test_a_print_through_our_price_fills_whatever_the_queue() -> None:
    run = Run()
    run.place(Side.BID, "100", "2")
    assert run.prints(("A", "99", "0.5")) == ["1:100:0.5"]
    # The price was traded through: nobody is ahead of us any more.
    assert run.prints(("A", "100", "1")) == ["1:100:1"]


def test_a_print_is_used_once_across_our_levels_best_price_first() -> None:
    run = Run()
    run.place(Side.ASK, "103", "1")
    run.place(Side.ASK, "102.5", "1")
    run.place(Side.ASK, "103.5", "1")
    assert run.prints(("B", "104", "2.4")) == ["2:102.5:1", "1:103:1", "3:103.5:0.4"]


def test_two_orders_at_one_price_fill_in_the_order_they_came() -> None:
    run = Run()
    run.place(Side.BID, "99.5", "1")
    run.place(Side.BID, "99.5", "1")
    assert run.prints(("A", "99.5", "1.5")) == ["1:99.5:1", "2:99.5:0.5"]


def test_buyers_do_not_fill_bids_nor_sellers_asks() -> None:
    run = Run()
    run.place(Side.BID, "99.5", "1")
    run.place(Side.ASK, "100.5", "1")
    assert run.prints(("B", "99.5", "5"), ("A", "100.5", "5")) == []


def test_the_queue_ahead_is_the_lesser_of_itself_and_what_is_displayed() -> None:
    run = Run()
    run.place(Side.BID, "99", "1")
    run.book(bids={"100": "5", "99": "3"})
    assert run.prints(("A", "99", "3.5")) == ["1:99:0.5"]
    run = Run()
    run.place(Side.BID, "99", "1")
    run.book(bids={"100": "5", "99": "70"})  # those joined behind us
    assert run.prints(("A", "99", "7.5")) == ["1:99:0.5"]


def test_a_level_that_vanished_leaves_nobody_ahead() -> None:
    run = Run()
    run.place(Side.BID, "99", "1")
    run.book(bids={"100": "5", "98": "3"})
    assert run.prints(("A", "99", "0.25")) == ["1:99:0.25"]


def test_the_touch_of_a_bbo_bounds_the_queue_too() -> None:
    run = Run()
    run.place(Side.BID, "100", "1")
    run.bbo(("100", "0.5"), ("101", "4"))
    assert run.prints(("A", "100", "1")) == ["1:100:0.5"]
    run.bbo(("99", "7"), ("101", "4"))
    assert run.prints(("A", "100", "0.2")) == ["1:100:0.2"]


def test_beyond_the_displayed_depth_only_prints_through_the_price_fill() -> None:
    run = Run()
    run.place(Side.BID, "96", "1")
    assert run.prints(("A", "96", "50")) == []
    assert run.prints(("A", "95", "0.5")) == ["1:96:0.5"]


def test_an_unknown_queue_is_resolved_once_it_is_displayed() -> None:
    run = Run()
    run.place(Side.BID, "96", "1")
    run.book(bids={"98": "5", "96": "2"})
    assert run.prints(("A", "96", "2.5")) == ["1:96:0.5"]


def test_the_other_best_reaching_our_price_fills_us_there_within_its_size() -> None:
    run = Run()
    run.place(Side.BID, "100.5", "3")
    assert told(run.book(asks={"100.5": "1", "101": "4"})) == ["1:100.5:1"]
    # The record shows the level as if we had not taken it; more of it is more for us.
    assert told(run.book(asks={"100.5": "1", "101": "4"})) == []
    assert told(run.book(asks={"100.5": "1.5", "101": "4"})) == ["1:100.5:0.5"]
    assert told(run.bbo(("99", "1"), ("100", "0.25"))) == ["1:100.5:0.25"]


def test_the_backlog_after_a_start_fills_nothing() -> None:
    run = Run(replayed=False)
    run.place(Side.BID, "99.5", "1")
    assert run.prints(("A", "99", "5"), ("A", "98", "5")) == []
    assert run.prints(("A", "99", "0.5")) == ["1:99.5:0.5"]


def test_prints_older_than_the_segment_fill_nothing() -> None:
    run = Run()
    run.place(Side.BID, "99.5", "1")
    assert run.old_prints(1_100, ("A", "99", "5")) == []
    assert run.old_prints(1_101, ("A", "99", "0.5")) == ["1:99.5:0.5"]


def test_a_repeated_trade_fills_once() -> None:
    run = Run()
    run.place(Side.BID, "99.5", "1")
    trade = run.trades([("A", "99", "0.5")], run.now_ms + 1, 77)
    frame = TapeFrame(0, ETH, "trades", b"", trade)
    assert told(run.market.apply(frame)) == ["1:99.5:0.5"]
    assert told(run.market.apply(frame)) == []


def test_an_outage_is_dark_fills_nothing_and_brings_a_backlog() -> None:
    run = Run()
    run.place(Side.BID, "99.5", "1")
    assert not run.market.dark()
    run.market.go_dark()
    assert run.market.dark()
    assert run.prints(("A", "90", "5")) == []
    assert run.place(Side.BID, "99", "1").resting
    assert run.market.cancel(2) is not None
    assert run.place(Side.BID, "101", "1", "Ioc").refusal == "ioc"
    run.book()
    assert not run.market.dark()
    assert run.prints(("A", "90", "5")) != []
    run = Run()
    run.place(Side.BID, "99.5", "1")
    run.market.go_dark()
    run.book()
    assert run.prints(("A", "90", "5")) == []
    assert run.prints(("A", "90", "0.5")) == ["1:99.5:0.5"]


def test_orders_survive_an_outage_behind_what_is_displayed_after_it() -> None:
    run = Run()
    run.place(Side.BID, "99", "1")
    run.market.go_dark()
    run.book(bids={"100": "1", "99": "2"})
    run.prints()
    assert run.prints(("A", "99", "2.5")) == ["1:99:0.5"]


def test_post_only_is_held_against_the_record_and_what_others_rest() -> None:
    run = Run()
    assert run.place(Side.BID, "101", "1").refusal == "alo"
    assert run.place(Side.ASK, "100", "1").refusal == "alo"
    assert run.place(Side.ASK, "100.5", "1").resting
    assert run.place(Side.BID, "100.5", "1").refusal == "alo"
    assert run.place(Side.BID, "100.4", "1", owner=THEIRS).resting


def test_a_taker_matches_the_recorded_levels_once() -> None:
    run = Run()
    placement = run.place(Side.BID, "102", "7", "Ioc")
    assert [(str(e.px), str(e.sz), e.maker) for e in placement.executions] == [
        ("101", "4", None),
        ("102", "3", None),
    ]
    assert run.place(Side.BID, "101", "1", "Ioc").refusal == "ioc"
    run.book(asks={"103": "1"})
    run.book()
    assert run.place(Side.BID, "101", "1", "Ioc").executions != ()


def test_a_good_till_cancelled_order_takes_then_rests() -> None:
    run = Run()
    placement = run.place(Side.BID, "101", "5", "Gtc")
    assert [str(e.sz) for e in placement.executions] == ["4"]
    assert placement.resting
    order = run.market.order(1)
    assert order is not None
    assert order.sz == 1


def test_accounts_match_one_another_and_never_themselves() -> None:
    run = Run()
    run.place(Side.ASK, "100.5", "1")
    run.place(Side.ASK, "100.6", "1", owner=THEIRS)
    placement = run.place(Side.BID, "100.6", "3", "Ioc")
    assert [order.oid for order in placement.self_cancelled] == [1]
    assert [(e.maker.oid if e.maker else 0, str(e.sz)) for e in placement.executions] == [(2, "1")]
    assert run.market.order(1) is None
    assert run.market.order(2) is None


def test_trim_and_cancel_take_size_out() -> None:
    run = Run()
    run.place(Side.BID, "99.5", "2")
    run.market.trim(1, Decimal("0.5"))
    assert run.prints(("A", "99", "3")) == ["1:99.5:0.5"]
    assert run.market.cancel(1) is None


def test_an_older_book_does_not_hide_a_newer_touch() -> None:
    run = Run()
    run.bbo(("99", "7"), ("99.8", "2"))
    run.now_ms -= 150
    run.book()
    run.now_ms += 150
    bid, ask = run.market.touch()
    assert bid is not None
    assert ask is not None
    assert (str(bid.px), str(ask.px)) == ("99", "99.8")


def test_without_books_the_touch_is_all_that_is_known() -> None:
    market = TapeMarket(ETH)
    for at_ms, bid_px in ((1, "98"), (2, "100")):
        touch = rows({bid_px: "1"})[0], rows({"101": "1"})[0]
        market.apply(TapeFrame(0, ETH, "bbo", b"", BboRow(ETH, at_ms, touch)))
    bids, asks = market.levels()
    assert [str(level.px) for level in bids] == ["100"]
    assert [str(level.px) for level in asks] == ["101"]


RECORDING = "btc-eth-sol-wlfi-20250903.jsonl.zst"


@pytest.mark.shared
def test_quotes_of_two_bps_fill_in_wlfi_on_a_real_recording(shared: Path) -> None:
    """Quotes anew each 0.7 s; three outages (two within, one at the end); every fill is ours."""
    path = shared / "recordings" / RECORDING
    instrument = default_universe().instrument(Coin("WLFI"))
    tape, outages, fills = Tape(path), 0, 0
    markets = {coin: TapeMarket(coin) for coin in tape.header.coins}
    market = markets[Coin("WLFI")]
    resting: list[int] = []
    oid = now_ns = 0
    while not tape.over:
        for frame in tape.due(now_ns):
            if isinstance(frame, Outage):
                outages += 1
                for each in markets.values():
                    each.go_dark()
                continue
            executions = markets[frame.coin].apply(frame)
            assert frame.coin == "WLFI" or not executions
            fills += len(executions)
        if now_ns % 700_000_000 == 0:
            for each_oid in resting:
                market.cancel(each_oid)
            bid, ask = market.touch()
            if bid is not None and ask is not None and not market.dark():
                mid_px = (bid.px + ask.px) / 2
                for side in Side:
                    oid += 1
                    px = instrument.passive_px(mid_px * (1 - side.sign * Decimal("0.0002")), side)
                    sz = Decimal(2000)
                    order = RestingOrder(oid, OURS, side, px, sz, sz, 0, tif="Alo")
                    market.place(order, 0)
                    resting.append(oid)
        now_ns += 70_000_000
    assert outages == 3
    assert fills >= 3
