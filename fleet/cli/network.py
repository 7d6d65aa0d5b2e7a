"""What a network offers: its DEXs, markets and their state now, asked of its ``/info``.

By the standard library alone. The embedded exchange's listing is known without asking anyone: its
own ``/info`` answers in this process, with no prices of a market that does not run.
"""

import http.client
import json
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from agents.exchange.registry import Registry
from agents.exchange.wire_market import AssetCtxWire, Meta, PerpDex, SpotMeta
from fleet.cli.failure import ExitCode, Failure

URLS: Final = {
    "mainnet": "https://api.hyperliquid.xyz",
    "testnet": "https://api.hyperliquid-testnet.xyz",
}
PATIENCE_S: Final = 5.0
MAKER_RATE: Final = Decimal("0.00015")
TAKER_RATE: Final = Decimal("0.00045")
"""The lowest tier's rates, where no account's own are known."""

Request = Mapping[str, object]
Ask = Callable[[Request], bytes]
"""Answers one ``/info`` request with its JSON."""

T = TypeVar("T")
Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e18)]


class Unheard(Exception):
    """The network did not answer, or not as its protocol says: one line."""


class MarketNow(AssetCtxWire, frozen=True):
    """An asset's context with the prices at which a venue-defined notional trades at once."""

    impact_pxs: tuple[Positive, Positive] | None = None


class Offer(msgspec.Struct, frozen=True):
    """All that a network lists. ``dexes`` without the main one; ``now`` by market, where asked."""

    registry: Registry
    dexes: Mapping[str, PerpDex]
    now: Mapping[str, MarketNow]


class Wire:
    """One connection to a venue's ``/info``, kept open."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._url = url
        self._connection = kind(parts.netloc, timeout=PATIENCE_S)

    def __call__(self, request: Request) -> bytes:
        """Raises ``Unheard``."""
        headers = {"Content-Type": "application/json"}
        try:
            self._connection.request("POST", "/info", json.dumps(request), headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Unheard(f"{self._url}: {why}") from None
        if answer.status != http.client.OK:
            raise Unheard(f"{self._url}: it answered {answer.status} to {request['type']}")
        return body

    def close(self) -> None:
        self._connection.close()


def paper() -> Ask:
    """The embedded exchange's own ``/info``, of one that does not run."""
    from agents.sim.exchange import Exchange
    from agents.sim.universe import default_universe

    exchange = Exchange(default_universe())
    return lambda request: msgspec.json.encode(exchange.info(dict(request), 0))


def read(ask: Ask, request: Request, kind: type[T]) -> T:
    """One answer, typed. Raises ``Unheard`` where it is not what the protocol says."""
    raw = ask(request)
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except msgspec.MsgspecError as error:
        text = f"the answer to {request['type']} is not what the protocol says ({error})"
        raise Unheard(text) from None


def offered(
    ask: Ask,
    wanted: Collection[str] | None = None,
    maker_rate: Decimal = MAKER_RATE,
    taker_rate: Decimal = TAKER_RATE,
) -> Offer:
    """What is listed; the markets of the DEXs in ``wanted`` ("" is the main one), None: of all.

    Raises ``Unheard``.
    """
    rows = read(ask, {"type": "perpDexs"}, tuple[PerpDex | None, ...])
    named = {row.name: row for row in rows if row is not None}
    spot = read(ask, {"type": "spotMeta"}, SpotMeta)
    metas: dict[str, Meta | None] = {}
    now: dict[str, MarketNow] = {}
    for dex in ("", *named):
        if wanted is not None and dex not in wanted:
            continue
        both = read(
            ask, {"type": "metaAndAssetCtxs", "dex": dex}, tuple[Meta, tuple[MarketNow, ...]] | None  # type: ignore[arg-type]  # mypy knows no union as a type's value
        )  # fmt: skip
        if both is not None:
            metas[dex], states = both
            listed = metas[dex]
            assert listed is not None
            now |= {
                asset.name: state for asset, state in zip(listed.universe, states, strict=False)
            }
    registry = Registry.build(rows, metas, spot, maker_rate, taker_rate)
    return Offer(registry=registry, dexes=named, now=now)


def paper_offered() -> Offer:
    """What the embedded exchange lists; what its markets do is not known while it does not run."""
    return msgspec.structs.replace(offered(paper()), now={})


def asked(url: str, wanted: Collection[str] | None = None) -> Offer:
    """``offered`` by a venue; exit 7 where it is out of reach."""
    wire = Wire(url)
    try:
        return offered(wire, wanted)
    except Unheard as error:
        mend = "check the address and this machine's network, and try again"
        raise Failure(ExitCode.OUT_OF_REACH, f"out of reach: {error}", mend) from None
    finally:
        wire.close()
