"""The nonce window: a hundred highest, two days back, one day ahead."""

import pytest

from agents.sim.nonces import FUTURE_MS, KEPT, PAST_MS, NonceWindow

NOW_MS = 1_795_000_000_000


def test_a_nonce_is_good_once() -> None:
    window = NonceWindow()
    assert window.refusal(NOW_MS, NOW_MS) is None
    window.use(NOW_MS)
    assert window.refusal(NOW_MS, NOW_MS) == f"Invalid nonce: duplicate nonce {NOW_MS}"


def test_arrival_out_of_order_is_fine_within_the_window() -> None:
    window = NonceWindow()
    for nonce in (NOW_MS + 1, NOW_MS, NOW_MS + 3, NOW_MS + 2):
        assert window.refusal(nonce, NOW_MS) is None
        window.use(nonce)
    assert window.kept == [NOW_MS, NOW_MS + 1, NOW_MS + 2, NOW_MS + 3]


def test_below_the_kept_hundred_nothing_is_taken() -> None:
    window = NonceWindow()
    for nonce in range(NOW_MS, NOW_MS + KEPT + 1):
        window.use(nonce)
    assert len(window.kept) == KEPT
    lowest = NOW_MS + 2
    assert window.refusal(NOW_MS, NOW_MS) == f"Invalid nonce: nonce too low {NOW_MS} < {lowest}"
    assert window.refusal(NOW_MS + KEPT + 1, NOW_MS) is None


@pytest.mark.parametrize(
    ("offset_ms", "taken"),
    [(-PAST_MS, False), (-PAST_MS + 1, True), (FUTURE_MS - 1, True), (FUTURE_MS, False)],
)
def test_time_bounds(offset_ms: int, taken: bool) -> None:
    assert (NonceWindow().refusal(NOW_MS + offset_ms, NOW_MS) is None) is taken
