"""The caretaker lets go of a market: to an agent, to the halt, or because nothing is left to do."""

from fleet.gateway.core import sweeps
from fleet.gateway.core.effects import Alert, Effect, Record
from fleet.gateway.core.state import State
from fleet.gateway.records import LeaseEnded


def end(state: State, market: str, now_ms: int) -> list[Effect]:
    """Let go of a market; what rests there is cleared."""
    care = state.cares.pop(market, None)
    generation = state.leases.end_care(market)
    effects: list[Effect] = []
    if generation is not None:
        effects.append(Record(body=LeaseEnded(market, generation, "caretaker")))
        effects += sweeps.start(state, market, now_ms)
    if care is not None and care.told:
        flat = not state.account.position(market).sz
        text = "the position is closed" if flat else "the caretaker lets go of it"
        effects.append(Alert("info", "caretaker", f"{market}: {text}", market))
    return effects


def end_all(state: State) -> list[Effect]:
    """A halt begins: every order is to go, the caretaker's too. Clearing is the halt's."""
    effects: list[Effect] = []
    for market in list(state.cares):
        del state.cares[market]
        generation = state.leases.end_care(market)
        if generation is not None:
            effects.append(Record(body=LeaseEnded(market, generation, "halt")))
    return effects
