"""One halt in bad weather: what the venue does wrong, who keeps sending, who is a stranger.

The look at the venue comes from an address of its own (127.0.0.2), so that it costs the fleet none
of its weight and no fault of the fleet's own view can colour it.
"""

import asyncio
import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import eth_account
from hyperliquid.exchange import Exchange

from agents.exchange.codec import encode_cancel
from agents.settings import MarketSettings, RiskSettings
from fleet.folder import Folder
from fleet.gateway.api import MarketPut
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path
from fleet.gateway.core.cloids import parse
from tests.e2e.gateway_stack import Client, far_px_of
from tests.e2e.under_test import CLI, ROOT
from tests.soak.rig import Rig

HELD_S: Final = 4.0
LOST_SHARE: Final = 0.3
LOOK_S: Final = 6.0
SENDERS_MARKET: Final = "DOGE"
STRANGERS: Final = (("BTC", True), ("hyna:BTC", False))
_EVERY_S: Final = 0.25
_RESTING_MAX: Final = 6
_PATIENCE_S: Final = 120.0

Struck = Literal["", "gateway", "supervisor"]


@dataclass(frozen=True)
class Weather:
    """One round, all of it from its seed."""

    seed: int
    before_s: float
    burst_at_s: float
    burst_s: float
    direct: bool
    foreign: bool
    struck: Struck
    strike_at_s: float
    stopped: bool

    @classmethod
    def of(cls, seed: int) -> "Weather":
        """Every fifth round the gateway is struck meanwhile: every other of these is ``--direct``
        from the start (by turns it is killed, and stopped until the halt is over), the rest only
        once the gateway's own halt has failed.
        """
        rng = random.Random(seed)
        struck: Struck = ("", "", "supervisor", "", "gateway")[seed % 5]
        return cls(
            seed=seed, before_s=rng.uniform(0.3, 2.0), burst_at_s=rng.uniform(-0.3, 0.6),
            burst_s=rng.uniform(0.5, 2.5), direct=seed % 10 == 4 or seed % 7 == 3,
            foreign=seed % 6 == 5, struck=struck, strike_at_s=rng.uniform(0.0, 1.2),
            stopped=seed % 20 == 4,
        )  # fmt: skip


@dataclass
class Round:
    """What came of it. ``faults``: what must not have been."""

    weather: Weather
    report: dict[str, Any]
    held: int = 0
    sent: int = 0
    foreign_left: int = 0
    last_ours_s: float | None = None
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        weather, proof = self.weather, self.report.get("proof", {})
        how = ("direct " if weather.direct else "") + ("--all " if weather.foreign else "")
        what = "stopped" if weather.stopped else "killed"
        how += f"{weather.struck} {what}" if weather.struck else ""
        rested = "-" if self.last_ours_s is None else f"{self.last_ours_s:.1f} s after"
        return (
            f"{weather.seed:>3} {how:<24} proven {self.report.get('proven_ms')!s:>6} ms"
            f"  refusal {self.report.get('first_refusal_ms')!s:>4} ms"
            f"  voided {proof.get('voided')!s:>2}  held by the venue {self.held:>2}"
            f"  sent on {self.sent:>3}  ours last rested {rested:>11}"
            f"  foreign {self.report.get('foreign_orders')!s:>2} told {self.foreign_left} left"
            f"  {'; '.join(self.faults) or 'ok'}"
        )


class Sender(threading.Thread):
    """An agent that never stops sending: whatever it is told, and again after each end."""

    def __init__(self, folder: Folder, every_s: float = 0.1) -> None:
        super().__init__(daemon=True)
        self._every_s = every_s
        self._folder, self._client = folder, GatewayClient(folder, 2.0)
        self._ended = threading.Event()
        self.going = threading.Event()
        self.posted = 0

    def configure(self) -> None:
        """A market that the fleet does not make."""
        risk = RiskSettings(position_max_usd=2_000.0, daily_loss_max_usd=50.0)
        settings = MarketSettings(
            market=SENDERS_MARKET,  # type: ignore[arg-type]
            margin_usd=1_000.0, leverage=2, risk=risk,
        )  # fmt: skip
        self._client.put(market_path(SENDERS_MARKET), MarketPut(revision=1, settings=settings))

    def forget(self) -> None:
        with contextlib.suppress(ApiFailure, Unreachable):
            self._client.delete(market_path(SENDERS_MARKET))

    def run(self) -> None:
        asyncio.run(self._always())

    def end(self) -> None:
        self._ended.set()
        self.going.set()
        self.join()

    async def _always(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(Exception):
                await self._once()
            await asyncio.sleep(0.2)

    async def _once(self) -> None:
        token = self._folder.token.read_text().strip()
        async with Client.on(self._folder.gateway_sock, SENDERS_MARKET) as client:
            await client.acquire(token)
            if client.lease is None:
                return
            asset = client.lease.instrument.asset_id
            px = far_px_of(self._client.status(), SENDERS_MARKET)
            rest: list[Any] = []
            while not self._ended.is_set() and not client.closed.is_set():
                await client.renew()
                if self.going.is_set():
                    _, cloid = await client.place(px=px, sz="100")
                    rest.append(cloid)
                    self.posted += 1
                if len(rest) > _RESTING_MAX or (rest and not self.going.is_set()):
                    await client.post(encode_cancel([rest.pop(0)], asset))
                await asyncio.sleep(self._every_s if self.going.is_set() else 0.3)


class Hand:
    """A person with a wallet of their own, approved on the account, and the official SDK."""

    def __init__(self, rig: Rig) -> None:
        key = "0x" + rig.folder.account_key.read_text(encoding="ascii").strip().removeprefix("0x")
        master = eth_account.Account.from_key(key)
        dexes = ["", "hyna"]
        owner = Exchange(master, rig.url, perp_dexs=dexes)
        approved, own_key = owner.approve_agent("hand")
        assert approved["status"] == "ok", approved
        wallet = eth_account.Account.from_key(own_key)
        self._exchange = Exchange(
            wallet, rig.url, perp_dexs=dexes, account_address=master.address
        )  # fmt: skip

    def place(self) -> int:
        """Far from the market, without our prefix; how many rest."""
        mids = {dex: self._exchange.info.all_mids(dex) for dex in ("", "hyna")}
        for coin, is_buy in STRANGERS:
            mid_px = float(mids[coin.partition(":")[0] if ":" in coin else ""][coin])
            px = float(f"{mid_px * (0.8 if is_buy else 1.2):.5g}")
            answer = self._exchange.order(
                coin, is_buy, 0.001, round(px), {"limit": {"tif": "Alo"}}
            )  # fmt: skip
            assert "resting" in answer["response"]["data"]["statuses"][0], answer
        return len(STRANGERS)


class Sight:
    """The venue's own lists, past all of our processes."""

    def __init__(self, rig: Rig) -> None:
        parts = urllib.parse.urlsplit(rig.url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._host, self._port, self._address = parts.hostname, parts.port, rig.address
        self._dexes = ["", *(row["name"] for row in self._ask({"type": "perpDexs"}) if row)]

    def _ask(self, request: dict[str, Any], within_s: float = 10.0) -> Any:
        """Again while the venue turns requests away."""
        until_s = time.monotonic() + within_s
        while True:
            call = http.client.HTTPConnection(
                self._host, self._port, timeout=5, source_address=("127.0.0.2", 0)
            )
            try:
                call.request("POST", "/info", json.dumps(request),
                             {"Content-Type": "application/json"})  # fmt: skip
                answer = call.getresponse()
                body = answer.read()
            finally:
                call.close()
            if answer.status == 200:
                return json.loads(body)
            assert time.monotonic() < until_s, f"the venue answers {answer.status}"
            time.sleep(0.2)

    def orders(self) -> tuple[list[str], list[int]]:
        """(cloids of ours, oids of strangers) on every DEX."""
        ours, strangers = [], []
        for dex in self._dexes:
            for row in self._ask({"type": "openOrders", "user": self._address, "dex": dex}):
                if parse(row.get("cloid")) is not None:
                    ours.append(str(row["cloid"]))
                else:
                    strangers.append(int(row["oid"]))
        return ours, strangers

    def held(self) -> int:
        """How many placements the venue has held back so far."""
        call = http.client.HTTPConnection(self._host, self._port, timeout=5)
        try:
            call.request("GET", "/admin/faults")
            return int(json.loads(call.getresponse().read())["happened"].get("held", 0))
        finally:
            call.close()


def halt(rig: Rig, weather: Weather, *, direct: bool) -> "subprocess.Popen[str]":
    """``fleet halt`` as a process of its own."""
    arguments = ["--fleet", rig.fleet.name, "halt", "--reason", f"storm {weather.seed}"]
    arguments += ["--direct"] if direct else []
    arguments += ["--all"] if weather.foreign else []
    return subprocess.Popen(
        [str(CLI), *arguments, "-o", "json"], cwd=ROOT, env=rig.fleet.cli.env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(rig: Rig, sight: Sight, hand: Hand, sender: Sender, weather: Weather) -> Round:
    """The fleet quotes before. Leaves it halted, the venue behaving again."""
    hand.place()
    _, strangers = sight.orders()
    sender.going.set()
    plan: dict[str, Any] = {"hold_placements_s": HELD_S, "drop_answers_share": LOST_SHARE}
    rig.faults(**plan)
    burst = threading.Timer(
        max(weather.before_s + weather.burst_at_s, 0.0),
        lambda: rig.faults(**plan, status_burst={"code": 429, "s": weather.burst_s}),
    )
    burst.start()
    held, sent = sight.held(), sender.posted
    time.sleep(weather.before_s)
    if weather.struck == "supervisor":
        os.kill(rig.pid("supervisor"), signal.SIGKILL)
    gateway = rig.pid("gateway")
    halting = halt(rig, weather, direct=weather.direct)
    if weather.struck == "gateway":
        time.sleep(weather.strike_at_s)
        os.kill(gateway, signal.SIGSTOP if weather.stopped else signal.SIGKILL)
    told, said = halting.communicate(timeout=_PATIENCE_S)
    if weather.struck == "gateway" and not weather.direct and halting.returncode:
        halting = halt(rig, weather, direct=True)  # as the message says
        told, said = halting.communicate(timeout=_PATIENCE_S)
    ended_s = time.monotonic()
    if weather.stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(gateway, signal.SIGCONT)
    burst.join()
    found = Round(weather, json.loads(told) if told else {})
    found.held, found.sent = sight.held() - held, sender.posted - sent
    flat = bool(found.report.get("flat_of_orders"))
    if not flat:
        found.faults.append(f"not proven: {said.strip()}")
    while time.monotonic() < ended_s + LOOK_S:
        ours, _ = sight.orders()
        if ours:
            found.last_ours_s = time.monotonic() - ended_s
            if flat:
                found.faults.append(f"false flat: {len(ours)} rest")
        time.sleep(_EVERY_S)
    ours, left = sight.orders()
    found.foreign_left = len(left)
    if ours:
        found.faults.append(f"{len(ours)} of ours rest {LOOK_S:.0f} s later")
    if flat:
        found.faults += _foreign_faults(weather, found.report, strangers, left)
    sender.going.clear()
    rig.faults()
    return found


def _foreign_faults(
    weather: Weather, report: dict[str, Any], before: list[int], left: list[int]
) -> list[str]:
    """Strangers' orders are told and left; ``--all`` takes them."""
    if weather.foreign:
        return ["--all left some"] if left or report["foreign_orders"] else []
    faults = [] if sorted(before) == sorted(left) else ["a stranger's order is gone"]
    told = report["foreign_orders"]
    return faults + ([] if told == len(before) else [f"{told} of {len(before)} strangers told"])
