"""The venue in a world: blocks on the heap, one client's subscriptions, actions, questions."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from agents.market.units import NS_PER_MS
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap
from agents.sim.network import Network
from agents.sim.outputs import AccountChanged, Answered, FillRow, OrderRow, Output
from fleet.venue.feeds import Feeds, Frame
from fleet.venue.subscriptions import Key, parse
from fleet.venue.world import World as Market
from fleet.world.faults import Faults
from fleet.world.past import Past

BLOCK_NS: Final = 70 * NS_PER_MS
LINE: Final = "venue"
_ACCOUNT: Final = frozenset({"orderUpdates", "userFills", "openOrders", "clearinghouseState"})

Answer = Callable[[dict[str, Any]], None]


class VenueSide:
    """One exchange, and the one connection that the gateway holds to it.

    ``address``: whose signature every action bears. ``on_block`` sees each block's outputs.
    """

    def __init__(
        self, market: Market, heap: Heap, network: Network, chance: Chance, address: str
    ) -> None:
        self.market = market
        self.exchange = market.exchange
        self.faults = Faults()
        self.connected = False
        self.reachable = True
        self.deliver: Callable[[bytes], None] = lambda _: None
        self.on_block: Callable[[tuple[Output, ...]], None] = lambda _: None
        self._address = address
        self._heap = heap
        self._network = network
        self._listening: dict[Key, None] = {}
        self._feeds = Feeds(
            market, wanted=self._listening.__contains__, keys=lambda: tuple(self._listening)
        )
        self.ahead_ms = 0
        self._past = Past(self.exchange, address)
        self._chance = chance
        self._tickets = 0
        self._waiting: dict[int, Answer] = {}

    @property
    def now_ms(self) -> int:
        """The venue's own time."""
        return self._heap.now_ns // NS_PER_MS + self.ahead_ms

    # ── the connection ───────────────────────────────────────────────────────────────────────

    def connect(self) -> None:
        self.connected = True

    def disconnect(self) -> None:
        """All that is on its way over the connection is lost, both ways."""
        self.connected = False
        self._listening.clear()
        self._network.cut(LINE)

    def watch(self, subscription: dict[str, object], *, on: bool) -> None:
        """Subscribe or unsubscribe; it takes its way to the venue."""
        key, _ = parse(subscription, self.market.universe)

        def arrive() -> None:
            if not on:
                self._listening.pop(key, None)
            elif key not in self._listening:
                self._listening[key] = None
                for raw in self._feeds.snapshot(key, self.now_ms):
                    self._push(key, self._shortened(key, raw))

        calm = msgspec.structs.replace(self.faults.requests(), lost=0.0)
        self._network.send(LINE, "subscribe", calm, arrive)

    def _shortened(self, key: Key, raw: bytes) -> bytes:
        """The list of fills that a subscription begins with may hold but the last few."""
        if key.type != "userFills" or self._chance.random() >= self.faults.short_snapshots:
            return raw
        self._network.faults["short_snapshot"] += 1
        frame = msgspec.json.decode(raw)
        frame["data"]["fills"] = frame["data"]["fills"][: self._chance.randrange(3)]
        return msgspec.json.encode(frame)

    def _push(self, key: Key, raw: bytes) -> None:
        mine = key.type in _ACCOUNT
        weather = self.faults.account() if mine else self.faults.data()
        self._network.send(LINE, f"{key.type} {key.coin}", weather, lambda: self.deliver(raw))

    # ── blocks ───────────────────────────────────────────────────────────────────────────────

    def block(self) -> None:
        step = self.market.step(self._heap.now_ns + self.ahead_ms * NS_PER_MS)
        self._heard(step.outputs)
        frames: list[Frame] = []
        for each in step.frames:
            frames.append((Key(each.channel, coin=each.coin), each.raw))
            if isinstance(each.data, tuple):
                self._feeds.printed(each.coin, each.data)
        made = self._feeds.block(step.outputs, self.now_ms)
        frames += [each for each in made if not self._silent(each[0])]
        for key, raw in frames:
            if key in self._listening:
                self._push(key, raw)
        if self.faults.stale:
            self._past.keep(self.now_ms)
        self.on_block(step.outputs)

    def _heard(self, outputs: tuple[Output, ...]) -> None:
        """Answers to whoever waits; what happened to the account enters the history."""
        for output in outputs:
            match output:
                case Answered(ticket=ticket, payload=payload):
                    answer = self._waiting.pop(ticket, None)
                    if answer is not None:
                        answer(payload)
                case OrderRow(row=row) | FillRow(row=row):
                    self._heap.note(msgspec.json.encode(row))
                case AccountChanged(dex=dex, orders=orders):
                    self._past.changed(dex, orders=orders)
                case _:
                    pass

    def _silent(self, key: Key) -> bool:
        return bool(key.coin) and self.market.dark(key.coin)

    # ── requests ─────────────────────────────────────────────────────────────────────────────

    def act(self, action: object, nonce: int, expires_ms: int | None, answer: Answer) -> None:
        """An action has arrived; its answer is ready with the next block."""
        self._tickets += 1
        self._waiting[self._tickets] = answer
        self.exchange.submit(
            self._tickets, self._address, msgspec.to_builtins(action), nonce,
            expires_after_ms=expires_ms,
        )  # fmt: skip

    def act_for(self, action: dict[str, object], nonce: int) -> None:
        """Someone else's hand on the account: nobody waits for the answer."""
        self._tickets += 1
        self.exchange.submit(self._tickets, self._address, action, nonce)

    def info(self, request: dict[str, object]) -> object:
        """An answer of this moment, or of a little before: JSON-ready."""
        if self.faults.stale and self._chance.random() < self.faults.stale:
            lag_ms = self._chance.random() * self.faults.stale_ms
            found = self._past.answer(request, self.now_ms - round(lag_ms))
            if found is not None:
                self._network.faults["stale_answer"] += 1
                return found
        return self.exchange.info(request, self.now_ms)
