"""What the supervisor tells the gateway: settings, leverage, drain, revoke, delete."""

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from fleet.gateway.api import (
    ActionPost,
    Caps,
    CapsPut,
    GatewayStatus,
    HaltRequest,
    MarketPut,
    RequestsPut,
)
from fleet.gateway.client import ApiFailure, Unreachable, market_path
from fleet.supervisor.reconcile import Drain, PutSettings, Remove, SetLeverage, Step

_MISSING = "unknown_market"


class Gateway(Protocol):
    """The part of ``GatewayClient`` that is used here. Each call may block: use a thread."""

    def status(self) -> GatewayStatus: ...

    def put(self, path: str, body: object) -> object: ...

    def post(self, path: str, body: object = None) -> object: ...

    def delete(self, path: str) -> object: ...

    def halt(self, request: HaltRequest) -> Iterator[dict[str, Any]]: ...


class LeverageRefused(Exception):
    """The venue did not take a market's leverage: no agent may trade under another."""


class Actions:
    """Steps as requests. All raise ``ApiFailure`` and ``Unreachable``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def gateway(self) -> Gateway:
        return self._gateway

    def status(self) -> GatewayStatus:
        return self._gateway.status()

    def put_requests(self, buy_max_usd_per_day: float) -> None:
        """What may be spent on requests."""
        self._gateway.put("/v1/requests", RequestsPut(buy_max_usd_per_day))

    def put_caps(self, caps: Caps) -> None:
        """The fleet's caps; what is in the store was authorised when it was applied."""
        self._gateway.put("/v1/caps", CapsPut(caps=caps, authorised=True))

    def carry_out(self, step: Step) -> None:
        match step:
            case PutSettings(market=market, revision=revision, settings=settings):
                # What is in the store was authorised when it was applied.
                put = MarketPut(revision=revision, settings=settings, authorised=True)
                self._gateway.put(market_path(market), put)
            case Drain(market=market):
                self._gateway.post(market_path(market, "drain"))
            case Remove(market=market):
                self._gateway.delete(market_path(market))
            case _:
                raise AssertionError(f"{step} is not the gateway's")

    def tell(self, market: str, verb: str) -> None:
        """pause, unpause, flatten: the gateway knows how."""
        self._gateway.post(market_path(market, verb))

    def revoke(self, market: str) -> None:
        """End a lease; where no gateway runs, or it does not know the market, there is none."""
        try:
            self._gateway.post(market_path(market, "revoke"))
        except Unreachable:
            return
        except ApiFailure as failure:
            if failure.error.code != _MISSING:
                raise

    def set_leverage(self, step: SetLeverage, now_ms: int) -> None:
        """Raises ``LeverageRefused`` with the venue's words unless it says ok."""
        action = {
            "type": "updateLeverage",
            "asset": step.asset_id,
            "isCross": not step.isolated,
            "leverage": step.leverage,
        }
        # The action sets a state, so a repeat is harmless; a key of its own lets one be tried.
        key = f"leverage-{step.market}-{step.revision}-{now_ms}"
        answer = self._gateway.post("/v1/actions", ActionPost(action=action, key=key))
        if not isinstance(answer, dict) or answer.get("status") != "ok":
            raise LeverageRefused(f"{step.market}: {msgspec.json.encode(answer).decode()}")
