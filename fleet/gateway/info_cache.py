"""``POST /v1/info``: Hyperliquid's own reads, the slow-changing ones from memory."""

from typing import Final

import msgspec

from agents.exchange.errors import RateLimited
from fleet.gateway.core.posts import NO_WEIGHT
from fleet.gateway.core.weight import info_weight
from fleet.gateway.service import Gateway

KEPT_MS: Final = {
    "meta": 60_000, "allPerpMetas": 60_000, "perpDexs": 60_000, "spotMeta": 60_000,
    "perpDexLimits": 60_000, "metaAndAssetCtxs": 5_000, "allMids": 1_000, "userFees": 60_000,
}  # fmt: skip
ENTRIES_MAX: Final = 256


class InfoCache:
    """Answers by request; what concerns an account is never kept."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._kept: dict[bytes, tuple[int, bytes]] = {}

    async def ask(self, request: dict[str, object]) -> bytes:
        """The venue's answer as received. Raises ``ExchangeError``."""
        kind = str(request.get("type"))
        key = msgspec.json.encode(request, order="deterministic")
        now_ms = self._gateway.now_ms()
        kept = self._kept.get(key)
        if kept is not None and now_ms - kept[0] < KEPT_MS[kind]:
            return kept[1]
        weights = self._gateway.state.weights
        if not weights.leaves_reserve(info_weight(kind), now_ms):
            raise RateLimited(NO_WEIGHT)
        weights.add(info_weight(kind), now_ms)
        raw = await self._gateway.http.info_raw(request)
        if kind in KEPT_MS:
            self._kept[key] = (now_ms, raw)
            if len(self._kept) > ENTRIES_MAX:
                del self._kept[next(iter(self._kept))]
        return raw
