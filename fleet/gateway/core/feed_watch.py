"""Markets whose data can't be trusted: their agents are told of a gap, and what rests is taken off.

An agent that is told of a gap sends nothing, so the gateway cancels for it; what it is told after
that is ``recovered``. A stream that is silent on a connection that lives is subscribed anew; the
book that answers is kept from the agent, whose own timers count the silence.
"""

from typing import Final

from fleet.gateway.core import agents, cloids, requests
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.effects import Alert, Effect, Watch
from fleet.gateway.core.state import State

AGAIN_MS: Final = 5_000
ALERT_MS: Final = 5_000


def tick(state: State, now_ms: int) -> list[Effect]:
    """Several times a second."""
    feeds, effects = state.feeds, list[Effect]()
    feeds.look(now_ms)
    if state.link.state != "up":
        return effects
    for market in state.markets:
        why = feeds.why(market, now_ms)
        held = feeds.gaps.get(market)
        if why is not None and held is None:
            feeds.gaps[market] = (now_ms, why)
            effects += _tell(state, market, None)
            effects += cancel(state, market, now_ms)
        elif why is None and held is not None:
            del feeds.gaps[market]
            feeds.again.pop(market, None)
            effects += _tell(state, market, "recovered")
            if now_ms - held[0] >= ALERT_MS:
                effects.append(Alert("info", "feed", f"{market}: its data is good again", market))
        elif why is not None and held is not None:
            effects += _lasts(state, market, now_ms - held[0], why)
    return effects


def _tell(state: State, market: str, word: str | None) -> list[Effect]:
    session = state.session_of(market)
    if session is None or session.awaits_link:
        return []
    return [agents.link_frame(state, session, word)]


def _lasts(state: State, market: str, for_ms: int, why: str) -> list[Effect]:
    """Told once to people, and its streams asked for again, every few seconds."""
    step, before = for_ms // AGAIN_MS, state.feeds.again.get(market, 0)
    if step == before:
        return []
    state.feeds.again[market] = step
    effects: list[Effect] = []
    if step == 1:
        effects.append(Alert("warning", "feed", f"{market}: {why}", market))
    if step and market not in state.feeds.refused:
        state.feeds.ask(market)
        for subscription in state.routing.of(market):
            effects += [Watch(subscription, on=False), Watch(subscription)]
    return effects


def cancel(state: State, market: str, now_ms: int) -> list[Effect]:
    """Nobody sees what fills there: nothing of it may rest."""
    targets = [
        Target(market=market, cloid=order.cloid, oid=order.oid)
        for order in state.orders.resting(market)
        if order.generation not in {state.leases.caretakers.get(market), cloids.STOP}
    ]
    return list(requests.sweep(state, targets, None, now_ms))


def refused(state: State, coin: str, text: str) -> list[Effect]:
    """The venue does not know a coin, or ends a connection because of it."""
    if coin in state.feeds.refused:
        return []
    state.feeds.refused[coin] = text
    return [Alert("critical", "feed", f"{coin}: {text}; fleet pause {coin}", coin)]
