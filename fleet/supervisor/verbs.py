"""An operator's verbs for one market: done by the gateway or the loop, and always written down."""

import time
from typing import Final

from fleet.gateway.api import ApiError
from fleet.gateway.client import ApiFailure, Unreachable
from fleet.manifests.spec import decode
from fleet.supervisor.loop import Loop, NotSeen
from fleet.supervisor.ports import ClusterAway
from fleet.supervisor.store import Store

AT_THE_GATEWAY: Final = frozenset({"pause", "unpause", "flatten"})


class Refused(Exception):
    """A request that can't be carried out; ``error`` is the API's."""

    def __init__(self, error: ApiError, status: int = 409) -> None:
        super().__init__(error.text)
        self.error = error
        self.status = status


class Verbs:
    """pause, unpause, flatten, drain, restart; each may be repeated."""

    def __init__(self, store: Store, loop: Loop) -> None:
        self._store = store
        self._loop = loop

    async def carry_out(self, market: str, verb: str, by: str) -> None:
        """``Refused``: no such market or verb, or the gateway did not do it."""
        row = self._store.markets().get(market)
        if row is None:
            raise Refused(ApiError("unknown_market", 3, f"no market {market} here"), 404)
        now_ms = time.time_ns() // 1_000_000
        if verb in AT_THE_GATEWAY:
            await self._tell(market, verb, by, now_ms)
        elif verb == "drain":
            if row.desired:
                self._store.drain(market, by, f"drained by {by}", now_ms)
                self._loop.wake()
        elif verb == "restart":
            self._refuse_strangers(market, desired=row.desired)
            self._store.restart(market, by, now_ms)
            try:
                await self._loop.restart(market)
            except NotSeen as error:
                text = f"the supervisor does not see {error.what}: {error}"
                mend = "fleet apply MANIFEST mends it; the restart is noted"
                raise Refused(ApiError("blind", 4, text, mend), 503) from None
        else:
            raise Refused(ApiError("unknown_verb", 3, f"no verb {verb!r}", where=market), 404)

    async def explain(self, market: str) -> bytes:
        """Why a market quotes as it does, in its agent's words (JSON). ``Refused`` where nobody
        can say.
        """
        if market not in self._store.markets():
            raise Refused(ApiError("unknown_market", 3, f"no market {market} here"), 404)
        try:
            told = await self._loop.explain(market)
        except (ClusterAway, TimeoutError) as error:
            text = f"the agent of {market} does not answer ({error})"
            raise Refused(ApiError("no_answer", 7, text, "see: fleet status"), 503) from None
        if told is None:
            text = f"{market} has no agent that holds a lease"
            raise Refused(ApiError("no_agent", 4, text, f"see: fleet status {market}"), 409)
        return told

    async def _tell(self, market: str, verb: str, by: str, now_ms: int) -> None:
        outcome = "accepted"
        try:
            await self._loop.tell(market, verb)
        except ApiFailure as failure:
            outcome = failure.error.text
            raise Refused(failure.error) from None
        except (Unreachable, TimeoutError) as error:
            outcome = f"{type(error).__name__}: {error}"
            text = f"the gateway is out of reach ({error})"
            raise Refused(ApiError("unreachable", 7, text, "see: fleet status"), 503) from None
        finally:
            self._store.audit(by, verb, market, outcome, now_ms)

    def _refuse_strangers(self, market: str, *, desired: bool) -> None:
        current = self._store.current()
        if not desired or current is None or market not in decode(current.spec).markets:
            text = f"{market} is not to run: it was drained, or left the manifest"
            raise Refused(ApiError("not_desired", 3, text, "fleet apply MANIFEST starts it"))
