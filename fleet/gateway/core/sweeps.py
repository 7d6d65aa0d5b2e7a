"""Clearings under way: which orders are in scope, and what is done about them now."""

from collections.abc import Iterator

from fleet.gateway.core import requests
from fleet.gateway.core.clearing import Clearing, Target
from fleet.gateway.core.effects import Effect
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import FLEET, State


def start(state: State, market: str, now_ms: int) -> list[Effect]:
    """Clear a market of every order whose lease is over."""
    running = state.clearings.get(market)
    if running is None:
        state.clearings[market] = Clearing((dex_of(market),), snapshots=1, now_ms=now_ms)
    else:
        running.again()
    return list(step(state, market, now_ms))


def start_fleet(state: State, now_ms: int, *, foreign: bool) -> Clearing:
    """Clear everything of ours, on every DEX; foreign orders too if told to."""
    clearing = Clearing(state.dexes(), snapshots=2, now_ms=now_ms)
    clearing.foreign = foreign
    state.clearings[FLEET] = clearing
    return clearing


def step(state: State, key: str, now_ms: int) -> Iterator[Effect]:
    """Carry one clearing on."""
    clearing = state.clearings.get(key)
    if clearing is None or state.registry is None:
        return
    if key == FLEET and clearing.dexes != state.dexes():  # it began before the venue was known
        clearing.dexes = state.dexes()
        clearing.again()
    todo = clearing.step(now_ms, targets(state, key), unresolved(state, key))
    yield from requests.sweep(state, todo.cancel, key, now_ms)
    for nonce in todo.void:
        yield requests.void(state, nonce, key, now_ms)
    for dex in todo.snapshot:
        yield requests.snapshot(state, dex, now_ms, clearing=key)


def in_scope(state: State, key: str, market: str, generation: int) -> bool:
    """Whether an order of ours is to go: all in a halt, else those without a live lease.

    What the caretaker sends to close positions begins when the halt is proven, and rests nowhere.
    """
    if key == FLEET:
        return state.leases.caretakers.get(market) != generation
    return market == key and state.ownerless(market, generation)


def targets(state: State, key: str) -> list[Target]:
    """Orders known to rest, by what we sent and by what the venue lists."""
    found: dict[str, Target] = {}
    for order in state.orders.resting(None if key == FLEET else key):
        if in_scope(state, key, order.market, order.generation):
            found[order.cloid] = Target(market=order.market, cloid=order.cloid, oid=order.oid)
    for target in listed(state, key):
        found.setdefault(target.key, target)
    return list(found.values())


def listed(state: State, key: str, dex: str | None = None) -> Iterator[Target]:
    """Orders in scope that the venue's lists show."""
    clearing = state.clearings.get(key)
    foreign = clearing is not None and clearing.foreign
    for name, rows in state.account.rows.items():
        if dex is not None and name != dex:
            continue
        for coin, row in rows.values():
            origin = state.ours(row.cloid)
            if origin is None:
                if foreign:
                    yield Target(market=coin, cloid=None, oid=row.oid)
            elif in_scope(state, key, coin, origin.generation):
                yield Target(market=coin, cloid=row.cloid, oid=row.oid)


def unresolved(state: State, key: str) -> list[int]:
    """Nonces of placements in scope that may yet be executed."""
    return [
        nonce
        for nonce, placement in state.orders.unresolved.items()
        if in_scope(state, key, placement.market, placement.generation)
    ]


def finished(state: State, key: str) -> bool:
    """Forget a market's clearing once it is proven."""
    clearing = state.clearings.get(key)
    if clearing is None or not clearing.done or key == FLEET:
        return False
    del state.clearings[key]
    return True
