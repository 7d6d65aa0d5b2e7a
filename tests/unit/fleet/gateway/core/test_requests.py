"""What leaves: nonces that strictly rise through clock steps, cancels in batches, voids."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agents.exchange.codec import encode_place
from agents.exchange.registry import Registry
from agents.exchange.wire import CancelAction, CancelByCloidAction, NoopAction
from agents.market.instrument import Instrument
from agents.market.types import Coin, Side
from fleet.gateway.core import requests
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.door import Checked
from fleet.gateway.core.effects import Submit
from fleet.gateway.core.state import Identity, Session, State


def fresh(last_nonce: int = 0) -> State:
    identity = Identity(
        fleet="t", network="paper", url="", address="0x", instance="abc123", build="", token="",
        created_ms=0,
    )  # fmt: skip
    state = State(identity, leases={}, limits={}, latch=None, last_nonce=last_nonce)
    btc = Instrument(coin=Coin("BTC"), asset_id=0, sz_decimals=3, leverage_max=40)
    state.registry = Registry(dexes=(), instruments={"BTC": btc})
    return state


def targets(count: int, *, foreign: bool = False) -> list[Target]:
    return [Target("BTC", None if foreign else f"0x{n:032x}", n) for n in range(count)]


@given(last=st.integers(0, 10**6), clock=st.lists(st.integers(0, 10**6), min_size=1))
def test_nonces_strictly_rise_also_when_the_clock_steps_back(last: int, clock: list[int]) -> None:
    state = fresh(last)
    nonces = [last]
    for now_ms in clock:
        nonces.append(requests.account_action(state, NoopAction(), now_ms).nonce)
        for effect in requests.sweep(state, targets(45), "BTC", now_ms):
            assert isinstance(effect, Submit)
            nonces.append(effect.nonce)
    assert all(later > earlier for earlier, later in pairwise(nonces))


def test_a_void_uses_the_placements_own_nonce() -> None:
    state = fresh()
    session = Session(id=1, opened_ms=0, market="BTC", generation=1)
    checked = (Checked("0x" + "a" * 32, Side.BID, Decimal(1), Decimal(1), reduce_only=False),)
    placed = requests.place(state, session, 5, encode_place([], 0), checked, 1_000)
    assert isinstance(placed, Submit)
    assert placed.placement
    assert placed.expires_ms == 1_000 + requests.EXPIRES_MS
    void = requests.void(state, placed.nonce, None, 1_100)
    assert isinstance(void, Submit)
    assert (void.nonce, void.placement, void.market) == (placed.nonce, False, "BTC")


def test_sweeps_cancel_ours_by_cloid_and_foreign_ones_by_oid_in_batches() -> None:
    state = fresh()
    wanted = [*targets(41), *targets(2, foreign=True)]
    actions = [e.action for e in requests.sweep(state, wanted, "BTC", 1) if isinstance(e, Submit)]
    sizes = [
        (type(action), len(action.cancels))
        for action in actions
        if isinstance(action, CancelAction | CancelByCloidAction)
    ]
    assert sizes == [(CancelByCloidAction, 40), (CancelByCloidAction, 1), (CancelAction, 2)]
