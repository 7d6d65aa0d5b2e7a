"""The venue's money as the supervisor's treasury sees it: balances, transfers, its own list."""

from decimal import Decimal
from typing import Any

from fleet.gateway.api import ActionPost, ApiError, DexView
from fleet.gateway.client import ApiFailure
from tests.unit.fleet.views import NOW_MS, dex_view

TOKENS = {"": "USDC", "hyna": "USDE", "xyz": "USDC"}


class Bank:
    """Balances in each DEX's own token. ``lose``: what happens to the next transfer's answer."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.dexes = {"": Decimal(100_000), "hyna": Decimal(100_000)}
        self.spot: dict[str, Decimal] = {}
        self.shown = dict(self.dexes)
        self.shown_ms = NOW_MS
        self.listed: list[dict[str, Any]] = []
        self.sent: list[ActionPost] = []
        self.top_ups: list[ActionPost] = []
        self.lose = ""
        self.mode = "disabled"

    def views(self) -> tuple[DexView, ...]:
        """The frames: as they were when ``show`` was called last."""
        return tuple(
            dex_view(name, token=TOKENS[name], account_value=value, as_of_ms=self.shown_ms)
            for name, value in self.shown.items()
        )

    def show(self) -> None:
        """New frames of all DEXs."""
        self.shown, self.shown_ms = dict(self.dexes), self.now_ms + 1

    def act(self, post: ActionPost) -> object:
        if post.action["type"] == "updateIsolatedMargin":
            self.top_ups.append(post)
            return {"status": "ok", "response": {"type": "default"}}
        self.sent.append(post)
        assert post.action["type"] == "agentSendAsset"
        if self.lose == "refused":
            return {"status": "err", "response": "Insufficient balance for token transfer"}
        if self.lose != "before":
            self._move(post.action)
        if self.lose:
            raise ApiFailure(ApiError("outcome_unknown", 7, "no answer of the venue"))
        return {"status": "ok", "response": {"type": "default"}}

    def _move(self, action: dict[str, Any]) -> None:
        token, amount = action["token"].partition(":")[0], Decimal(action["amount"])
        for place, sign in ((action["sourceDex"], -1), (action["destinationDex"], 1)):
            held = self.spot if place == "spot" else self.dexes
            key = token if place == "spot" else place
            held[key] = held.get(key, Decimal(0)) + sign * amount
            assert held[key] >= 0
        delta = {"type": "send", "token": token, "amount": str(amount)} | {
            key: action[key] for key in ("sourceDex", "destinationDex")
        }
        self.listed.append({"time": self.now_ms, "hash": "0x1", "delta": delta})

    def info(self, request: dict[str, Any]) -> object:
        match request["type"]:
            case "userAbstraction":
                return self.mode
            case "spotMeta":
                return {"tokens": [{"name": name, "tokenId": "0x1"} for name in ("USDC", "USDE")]}
            case "spotClearinghouseState":
                rows = [
                    {"coin": token, "total": str(sz), "hold": "0"}
                    for token, sz in self.spot.items()
                ]
                return {"balances": rows}
            case "clearinghouseState":
                return {"withdrawable": str(self.dexes.get(request["dex"], 0))}
            case "userNonFundingLedgerUpdates":
                return [row for row in self.listed if row["time"] >= request["startTime"]]
            case kind:
                raise AssertionError(kind)
