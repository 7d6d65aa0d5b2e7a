"""An agent for the gateway's world: it talks to the core as a real one does, and thinks nothing."""

from decimal import Decimal

import msgspec

from agents.commands import NewOrder, Report
from agents.exchange.codec import encode_cancel, encode_place
from agents.exchange.downstream import (
    Acquire,
    AgentFrame,
    GatewayFrame,
    LeaseFrame,
    RenewLease,
    ToAgent,
    ToGateway,
)
from agents.market.types import Cloid, Side
from tests.simulation.gateway_world import TOKEN, World


class Agent:
    """Mindless: places at random, cancels at random, and never stops by itself."""

    def __init__(self, world: World, session: int, market: str) -> None:
        self.world = world
        self.session = session
        self.market = market
        self.lease: LeaseFrame | None = None
        self.heard: list[GatewayFrame] = []
        self.placed: list[Cloid] = []
        self.believes_sz: Decimal | None = None
        self._sequence = 0
        self._request = 0
        world.agents[session] = self
        world.core.opened(session, world.now_ms)
        self._say(
            Acquire(
                market=market, protocol=1, build="sim", token=TOKEN, process=f"{session:016x}",
                pid=session,
            )
        )  # fmt: skip
        world.every(500, self._renew)

    @property
    def alive(self) -> bool:
        return self.session in self.world.agents

    def told(self, data: bytes) -> None:
        if b'"channel":"gw"' in data:
            frame = msgspec.json.decode(data, type=ToAgent).data
            self.heard.append(frame)
            if isinstance(frame, LeaseFrame):
                self.lease = frame

    def _say(self, frame: AgentFrame) -> None:
        raw = msgspec.json.encode(ToGateway(data=frame))
        self.world.do(self.world.core.said(self.session, raw, self.world.now_ms))

    def _renew(self) -> None:
        if self.alive and self.lease is not None:
            held_sz = self.world.state.account.position(self.market).sz
            believed_sz = held_sz if self.believes_sz is None else self.believes_sz
            report = Report(phase="QUOTING", position_sz=believed_sz)
            self._say(RenewLease(self.lease.generation, self.world.now_ms * 1_000_000, 1, report))

    def post(self, action: object) -> None:
        assert self.lease is not None
        self._request += 1
        payload = {"action": action, "generation": self.lease.generation, "value_usd": 1.0}
        request = {"type": "action", "payload": payload}
        raw = msgspec.json.encode({"method": "post", "id": self._request, "request": request})
        self.world.do(self.world.core.said(self.session, raw, self.world.now_ms))

    def trade(self) -> None:
        """One or two orders near the mid, or a few cancels."""
        if not self.alive or self.lease is None:
            return
        rng, instrument = self.world.rng, self.lease.instrument
        if self.placed and rng.random() < 0.4:
            gone = [self.placed.pop(0) for _ in range(min(len(self.placed), rng.randint(1, 3)))]
            self.post(encode_cancel(gone, instrument.asset_id))
            return
        orders = []
        for _ in range(rng.randint(1, 2)):
            side = rng.choice((Side.BID, Side.ASK))
            away = Decimal(rng.randint(2, 9)) / 10_000 * -side.sign
            px = instrument.passive_px(self.world.mids[self.market] * (1 + away), side)
            self._sequence += 1
            cloid = Cloid(f"0x{self.lease.cloid_prefix}{self._sequence:012x}")
            sz = Decimal(rng.randint(1, 6)) / 1000
            orders.append(NewOrder(cloid=cloid, side=side, px=px, sz=sz))
            self.placed.append(cloid)
        self.post(encode_place(orders, instrument.asset_id))
