"""Faults: each plan does what it says, chance comes from the seed, one-shot faults end."""

import json
import random

import pytest

from fleet.venue.faults import Faults, Plan, StatusBurst, read_plan
from fleet.venue.refusals import AnswerLost, TurnedAway
from fleet.venue.subscriptions import Key

NOW_NS = 1_800_000_000_000_000_000
S_NS = 1_000_000_000
USER = Key("orderUpdates", user="0x" + "1" * 40)
BBO = Key("bbo", coin="BTC")


def faults(**plan: object) -> Faults:
    found = Faults(random.Random(7))
    found.take(read_plan(json.dumps(plan).encode()), NOW_NS)
    return found


def test_without_a_plan_nothing_goes_wrong() -> None:
    quiet = faults()
    quiet.admit(NOW_NS)
    quiet.keep_answer()
    assert (quiet.hold_s("order"), quiet.answer_s(), quiet.frozen_s(NOW_NS)) == (0.0, 0.0, 0.0)
    assert quiet.send(USER, b"x") == [(0.0, b"x")]
    assert quiet.shown() == {"happened": {}}


def test_placements_are_held_and_cancels_are_not() -> None:
    holding = faults(hold_placements_s=4)
    assert [holding.hold_s(kind) for kind in ("order", "modify", "batchModify")] == [4.0] * 3
    assert [holding.hold_s(kind) for kind in ("cancel", "cancelByCloid", "noop", None)] == [0.0] * 4
    holding.take(Plan(), NOW_NS)
    assert holding.hold_s("order") == 0.0


def test_a_share_of_answers_is_lost_the_same_ones_each_time() -> None:
    def lost(times: int) -> list[int]:
        losing, found = faults(drop_answers_share=0.3), []
        for number in range(times):
            try:
                losing.keep_answer()
            except AnswerLost:
                found.append(number)
        assert losing.happened["dropped"] == len(found)
        return found

    assert 240 < len(lost(1_000)) < 360
    assert lost(1_000) == lost(1_000)


@pytest.mark.parametrize("code", [429, 502])
def test_a_burst_ends_by_itself(code: int) -> None:
    bursting = faults(status_burst={"code": code, "s": 5})
    with pytest.raises(TurnedAway) as met:
        bursting.admit(NOW_NS + 5 * S_NS - 1)
    assert met.value.code == code
    bursting.admit(NOW_NS + 5 * S_NS)


def test_a_freeze_ends_by_itself() -> None:
    freezing = faults(freeze_connections_s=5)
    assert freezing.frozen_s(NOW_NS + 2 * S_NS) == 3.0
    assert freezing.frozen_s(NOW_NS + 6 * S_NS) == 0.0


def test_frames_of_accounts_come_twice_and_out_of_order() -> None:
    straying = faults(duplicate_user_frames=True, reorder_user_frames=True)
    (first, same), (second, again) = straying.send(USER, b"x")
    assert same == again == b"x"
    assert 0.0 < first <= 0.5
    assert 0.0 < second <= 0.5
    assert first != second
    assert straying.send(BBO, b"x") == [(0.0, b"x")]


def test_a_stale_coin_is_silent_and_others_go_on() -> None:
    stale = faults(stale_feed=["BTC"])
    assert stale.send(BBO, b"x") == []
    assert stale.send(Key("bbo", coin="ETH"), b"x") == [(0.0, b"x")]


def test_a_crossed_feed_shows_the_bid_above_the_ask() -> None:
    touch = {"channel": "bbo", "data": {"coin": "BTC", "bbo": [{"px": "1.0"}, {"px": "2.0"}]}}
    ((_, sent),) = faults(crossed_feed=["BTC"]).send(BBO, json.dumps(touch).encode())
    assert [side["px"] for side in json.loads(sent)["data"]["bbo"]] == ["2.0", "1.0"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b'{"hold":1}', b'{"drop_answers_share":2}', b'{"status_burst":{"code":404}}'],
)
def test_a_plan_that_makes_no_sense_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"^faults: "):
        read_plan(raw)


def test_a_plan_is_shown_as_it_was_given() -> None:
    burst = StatusBurst(code=429, s=2.0)
    shown = faults(status_burst={"code": 429, "s": 2}, stale_feed=["BTC"]).shown()
    assert shown["status_burst"] == {"code": burst.code, "s": burst.s}
    assert shown["stale_feed"] == ("BTC",)


def test_hidden_fills_are_in_no_feed_and_no_list() -> None:
    fills, rows = Key("userFills", user=USER.user), [{"crossed": False, "tid": 1}]
    hiding = faults(hide_fills=True)
    assert hiding.send(fills, b"x") == []
    assert hiding.send(USER, b"x") == [(0.0, b"x")]
    assert hiding.list_of("userFillsByTime", rows) == []
    assert hiding.list_of("openOrders", rows) == rows
    hiding.take(Plan(), NOW_NS)
    assert hiding.list_of("userFills", rows) == rows


def test_taker_fills_are_told_so_in_feed_and_list() -> None:
    fills, rows = Key("userFills", user=USER.user), [{"crossed": False, "tid": 1}]
    taking = faults(taker_fills=True)
    assert taking.send(fills, b'{"crossed":false}') == [(0.0, b'{"crossed":true}')]
    assert taking.list_of("userFills", rows) == [{"crossed": True, "tid": 1}]
    assert rows[0]["crossed"] is False
