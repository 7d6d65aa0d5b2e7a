"""Whether a live network answers, and what it lists: asked once, before anything is started."""

import http.client
import json
from typing import Any, Final
from urllib.parse import urlsplit

from fleet.cli.failure import ExitCode, Failure
from fleet.manifests.checks import Listed
from fleet.manifests.spec import FleetSpec

URLS: Final = {
    "mainnet": "https://api.hyperliquid.xyz",
    "testnet": "https://api.hyperliquid-testnet.xyz",
}
PATIENCE_S: Final = 5.0


def listing(spec: FleetSpec) -> dict[str, dict[str, Listed]]:
    """The network's DEXs and, of those that the manifest names, their assets; exit 7 if unheard."""
    url = URLS[spec.network]
    try:
        names = ["", *(dex["name"] for dex in _info(url, {"type": "perpDexs"}) if dex)]
        wanted = {market.rpartition(":")[0] for market in spec.markets}
        return {name: _assets(url, name) if name in wanted else {} for name in names}
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    except (ValueError, TypeError, KeyError):
        why = "it answered with something else than its protocol"
    text = f"{spec.network} is out of reach: {url}: {why}"
    mend = "check this machine's network and try again; nothing was started"
    raise Failure(ExitCode.OUT_OF_REACH, text, mend)


def _assets(url: str, dex: str) -> dict[str, Listed]:
    meta = _info(url, {"type": "meta", "dex": dex})
    return {
        row["name"]: Listed(
            int(row["maxLeverage"]),
            isolated_only=bool(row.get("onlyIsolated") or row.get("marginMode")),
            delisted=bool(row.get("isDelisted")),
        )
        for row in meta["universe"]
    }


def _info(url: str, request: dict[str, str]) -> Any:  # noqa: ANN401  # the venue's JSON
    host = urlsplit(url).netloc
    connection = http.client.HTTPSConnection(host, timeout=PATIENCE_S)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/info", json.dumps(request), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise http.client.HTTPException(f"it answered {answer.status}")
        return json.loads(body)
    finally:
        connection.close()
