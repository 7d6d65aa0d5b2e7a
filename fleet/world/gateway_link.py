"""A world's gateway finds its venue again: subscribed, told what it may have missed, up."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Protocol, cast

import msgspec

from agents.exchange.codec import decode_info
from agents.exchange.codec_account import to_fill, to_live
from agents.exchange.registry import Registry
from agents.exchange.wire import ClearinghouseState, FrontendOrder, Meta, PerpDex, SpotMeta, WsFill
from fleet.gateway.core import venue
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import Effect
from fleet.gateway.core.state import State
from fleet.world.venue_side import VenueSide

FILLS_OVERLAP_MS = 5_000
_json = msgspec.json.Encoder().encode

Question = tuple[dict[str, object], Callable[[bytes, int], Iterable[Effect]]]


class Process(Protocol):
    """The gateway whose link it is."""

    venue: VenueSide

    @property
    def core(self) -> Core | None: ...
    @property
    def state(self) -> State: ...
    @property
    def now_ms(self) -> int: ...
    def do(self, effects: Iterable[Effect]) -> None: ...
    def http(self, happen: Callable[[], None]) -> None: ...
    def reconcile_fails(self) -> bool: ...


class GatewayLink:
    """One connection after the other."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.registry = registry_of(process.venue)

    def open(self) -> None:
        """The connection stands; the link is up once everything is asked and answered."""
        process = self._process
        assert process.core is not None
        process.core.learned(self.registry)
        process.state.bookings.held.whole_below = 0  # a list may be short, however few it holds
        process.state.awaited = {"fills"}
        for subscription in self._subscriptions():
            process.venue.watch(subscription, on=True)
        self._reconcile(self._questions())

    def _subscriptions(self) -> list[dict[str, object]]:
        state = self._process.state
        user = state.identity.address
        wanted: list[dict[str, object]] = [
            {"type": "orderUpdates", "user": user},
            {"type": "userFills", "user": user},
        ]
        for dex in state.dexes():
            wanted.append({"type": "openOrders", "user": user, "dex": dex})
            wanted.append({"type": "clearinghouseState", "user": user, "dex": dex})
        return wanted + state.routing.upstream()

    def _reconcile(self, questions: Iterator[Question]) -> None:
        """One question after the other, as the real one asks; a failure ends the connection."""
        process = self._process
        if process.core is None or not process.venue.connected:
            return
        question = next(questions, None)
        if question is None:
            process.do(process.core.link_up(process.now_ms))
            return
        request, take = question
        asked_ms = process.now_ms

        def ask() -> None:
            raw = _json(process.venue.info(request))
            process.http(lambda: answered(raw))

        def answered(raw: bytes) -> None:
            if not process.venue.connected or process.reconcile_fails():
                return
            process.do(take(raw, asked_ms))
            self._reconcile(questions)

        process.http(ask)

    def _questions(self) -> Iterator[Question]:
        """Positions and orders of each DEX, then every fill since the last booked one."""
        state = self._process.state
        user = state.identity.address
        mids = cast("dict[str, str]", self._process.venue.info({"type": "allMids"}))
        for dex_info in self.registry.dexes:
            if dex_info.token_mark_coin in mids:
                mark = float(mids[dex_info.token_mark_coin])
                state.account.token_marks[dex_info.token] = mark
        for dex in state.dexes():

            def account(raw: bytes, _asked_ms: int, dex: str = dex) -> Iterable[Effect]:
                held = decode_info(raw, ClearinghouseState)
                return venue.take_account(state, dex, held, self._process.now_ms)

            def orders(raw: bytes, asked_ms: int, dex: str = dex) -> Iterable[Effect]:
                found = decode_info(raw, tuple[FrontendOrder, ...])
                rows = tuple((row.coin, to_live(row)) for row in found)
                now_ms = self._process.now_ms
                return venue.take_open_orders(state, dex, rows, asked_ms, now_ms)

            yield {"type": "clearinghouseState", "user": user, "dex": dex}, account
            yield {"type": "frontendOpenOrders", "user": user, "dex": dex}, orders
        since_ms = max(state.bookings.last_fill_ms - FILLS_OVERLAP_MS, 0)
        yield {"type": "userFillsByTime", "user": user, "startTime": since_ms}, self.take_fills

    def take_fills(self, raw: bytes, _asked_ms: int) -> Iterable[Effect]:
        fills = tuple(to_fill(row) for row in decode_info(raw, tuple[WsFill, ...]))
        rows = msgspec.json.decode(raw, type=list[msgspec.Raw])
        return venue.take_fills(self._process.state, fills, rows, self._process.now_ms)


def registry_of(venue_side: VenueSide) -> Registry:
    """Every DEX and market, as the venue lists them."""

    def ask(kind: Any, **request: object) -> Any:  # noqa: ANN401  (the type asked for)
        return decode_info(_json(venue_side.info(request)), kind)

    dexs = ask(tuple[PerpDex | None, ...], type="perpDexs")
    names = ["", *(row.name for row in dexs if row is not None)]
    metas = {name: ask(Meta, type="meta", dex=name) for name in names}
    spot = ask(SpotMeta, type="spotMeta")
    return Registry.build(dexs, metas, spot, Decimal("0.00015"), Decimal("0.00045"))
