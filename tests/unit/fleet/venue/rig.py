"""A venue without sockets: its clock stands still until told, its clients write down what comes."""

import itertools
import json
from decimal import Decimal
from typing import Any

import msgspec

from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.sim.latency import Latency
from fleet.venue.clock import RealClock
from fleet.venue.config import Options
from fleet.venue.connection import Connection
from fleet.venue.session import Session
from fleet.venue.venue import Venue

KEY = bytes.fromhex("01" * 32)
ADDRESS = L1Signer(KEY, mainnet=True).address
START_NS = 1_800_000_000_000_000_000
_NONCES = itertools.count(START_NS // 1_000_000)
INSTANT = Options(
    block_ms=0,
    latency_ms=Latency(ack=0, feed=0, jitter=0),
    fund={ADDRESS: Decimal(100_000)},
)


class Client(Connection):
    """A client that reads at once, and its session."""

    def __init__(self, venue: Venue) -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed = False
        self.ip = "127.0.0.1"
        self.venue = venue
        self._session = Session(venue, self)

    def send(self, frame: bytes) -> None:
        if not self.closed:
            self.frames.append(json.loads(frame))

    def say(self, message: object) -> None:
        self._session.receive(json.dumps(message))

    def raw(self, text: str) -> None:
        self._session.receive(text)

    def subscribe(self, **subscription: object) -> None:
        self.say({"method": "subscribe", "subscription": subscription})

    def leave(self) -> None:
        self._session.close()

    def channels(self) -> list[str]:
        return [frame["channel"] for frame in self.frames]

    def of(self, channel: str) -> list[Any]:
        return [frame["data"] for frame in self.frames if frame["channel"] == channel]


class _Clock(RealClock):
    """The rig's time; delays are the machine's."""

    def __init__(self, rig: "Rig") -> None:
        self._rig = rig

    def now_ns(self) -> int:
        return self._rig.now_ns


class Rig:
    """One venue, its clock and its trader."""

    def __init__(self, options: Options = INSTANT) -> None:
        self.now_ns = START_NS
        self.venue = Venue(options, _Clock(self))
        self.wait(0)
        self.wait(70)

    def client(self) -> Client:
        return Client(self.venue)

    def body(self, action: object, *, mainnet: bool = True, key: bytes = KEY) -> dict[str, Any]:
        """A signed body, as it arrives."""
        nonce = next(_NONCES)
        signature = L1Signer(key, mainnet=mainnet).sign(pack(action), nonce)
        found = msgspec.to_builtins(exchange_body(action, nonce, signature))
        assert isinstance(found, dict)
        return found

    async def act(self, action: object, *, mainnet: bool = True, key: bytes = KEY) -> Any:
        return await self.venue.act(self.body(action, mainnet=mainnet, key=key))

    def wait(self, ms: int) -> None:
        """Let time pass and run one block."""
        self.now_ns += ms * 1_000_000
        self.venue.block()

    def mid_px(self, coin: str = "BTC") -> float:
        mids = self.venue.exchange.info({"type": "allMids"}, self.venue.now_ms)
        assert isinstance(mids, dict)
        return float(mids[coin])


def order(px: float, *, buy: bool = True, sz: str = "0.01", tif: str = "Gtc") -> dict[str, Any]:
    """A placement of one order in BTC, at a whole price."""
    terms = {
        "a": 0,
        "b": buy,
        "p": str(round(px)),
        "s": sz,
        "r": False,
        "t": {"limit": {"tif": tif}},
    }
    return {"type": "order", "orders": [terms], "grouping": "na"}


def status(answer: Any) -> Any:
    """The first status of an ``order`` or ``cancel`` answer."""
    return answer["response"]["data"]["statuses"][0]
