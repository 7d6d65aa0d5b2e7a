"""Delays: repeatable, around what was asked for, and none at all where it is zero."""

import random
import statistics

import pytest

from agents.sim.latency import Delays, Latency


def test_equal_seeds_draw_equal_delays() -> None:
    runs = [
        [d.request_s(), d.answer_s(), d.feed_s()]
        for d in (Delays(Latency(), random.Random(seed)) for seed in (1, 1, 2))
    ]
    assert runs[0] == runs[1] != runs[2]


def test_request_and_answer_together_take_the_acks_time() -> None:
    delays = Delays(Latency(ack=250, feed=100, jitter=0.3), random.Random(1))
    acks = [delays.request_s() + delays.answer_s() for _ in range(2_000)]
    feeds = [delays.feed_s() for _ in range(2_000)]
    assert statistics.median(acks) == pytest.approx(0.250, rel=0.05)
    assert statistics.median(feeds) == pytest.approx(0.100, rel=0.05)
    assert min(acks) > 0


def test_zero_is_no_delay() -> None:
    delays = Delays(Latency(ack=0, feed=0), random.Random(1))
    assert delays.request_s() == delays.answer_s() == delays.feed_s() == 0.0
