"""The nonce window takes each nonce once, and keeps the hundred highest."""

from hypothesis import given
from hypothesis import strategies as st

from agents.sim.nonces import KEPT, NonceWindow

NOW_MS = 1_795_000_000_000


@given(st.lists(st.integers(NOW_MS - 200, NOW_MS + 200), max_size=400))
def test_each_nonce_is_used_at_most_once(nonces: list[int]) -> None:
    window, used = NonceWindow(), set[int]()
    for nonce in nonces:
        refusal = window.refusal(nonce, NOW_MS)
        highest = sorted(used)[-KEPT:]
        full = len(highest) == KEPT
        assert (refusal is None) == (nonce not in used and (not full or nonce > highest[0]))
        if refusal is None:
            window.use(nonce)
            used.add(nonce)
        assert window.kept == sorted(used)[-KEPT:]
