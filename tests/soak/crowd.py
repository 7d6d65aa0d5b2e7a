"""Forty real agents, one gateway, one venue that enforces its limits; no Ray, no supervisor.

Light enough to stand beside other work: agents share a few processes. Between gateway and venue is
a tap, which stamps what passes and can freeze what is open.
"""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from agents.settings import MarketSettings, RiskSettings, StrategySettings
from fleet.gateway.api import Caps, CapsPut, DirectivesPut, GatewayStatus, MarketPut
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path
from fleet.manifests.load import load
from tests.e2e.gateway_stack import ROOT, TOKEN, Stack

PROCESSES: Final = 4
MANIFEST: Final = ROOT / "tests/soak/forty.yaml"
FILLS_PAGE: Final = 2_000


class Crowd(Stack):
    """``spare``: markets that are configured and left to whoever wants to hold them; ``markets``:
    those of the manifest unless given.
    """

    start_s = 120.0

    def __init__(
        self,
        root: Path,
        *,
        flow: str = "real",
        spare: tuple[str, ...] = (),
        markets: tuple[str, ...] = (),
    ) -> None:
        self.root, self.spare = root, spare
        self._found(root, "crowd")
        self.client = GatewayClient(self.folder, 5.0)
        self.markets = markets or tuple(load(MANIFEST).markets)
        self._ended = threading.Event()
        self._asked = 0
        self.children: list[subprocess.Popen[bytes]] = []
        self.venue = self._start(
            "fleet.venue.main", "--port", "0", "--seed", "7", "--flow", flow, "--limits", "on",
            "--fund", f"{self.address}=100000", heard=True,
        )  # fmt: skip
        assert self.venue.stdout is not None
        self.venue_url = str(json.loads(self.venue.stdout.readline())["url"])
        port = self.venue_url.rpartition(":")[2]
        self.tap_log = root / "tap.bin"
        self.tap = self._start(
            "tests.soak.tap", "--to", port, "--log", str(self.tap_log), heard=True
        )
        assert self.tap.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.tap.stdout.readline())}"

    def begin(self) -> None:
        """Gateway, ledger, settings, then the agents."""
        self.start_gateway()
        self.ledger = self._start("fleet.ledger.main", "--folder", str(self.folder.root))
        self._configure()
        threading.Thread(target=self._direct, daemon=True).start()
        self.crew()

    def _start(self, module: str, *told: str, heard: bool = False) -> "subprocess.Popen[bytes]":
        out = subprocess.PIPE if heard else subprocess.DEVNULL
        child = subprocess.Popen(
            [sys.executable, "-m", module, *told], stdout=out, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.children.append(child)
        return child

    def _configure(self) -> None:
        put = CapsPut(Caps(gross_max_usd=120_000.0, net_max_usd=60_000.0), authorised=True)
        self.client.put("/v1/caps", put)
        for market in self.markets:
            settings = MarketSettings(
                market=market,  # type: ignore[arg-type]
                margin_usd=1_000.0, leverage=3, isolated=market == "km:TENCENT",
                risk=RiskSettings(position_max_usd=3_000.0, daily_loss_max_usd=500.0),
                strategy=StrategySettings(half_spread_floor_bps=2.0, clip_usd=100.0),
            )  # fmt: skip
            self.client.put(market_path(market), MarketPut(revision=1, settings=settings))

    def _direct(self) -> None:
        """The risk actor's word, each second."""
        while not self._ended.wait(1.0):
            now_ms = time.time_ns() // 1_000_000
            put = DirectivesPut(
                seq=now_ms, as_of_ms=now_ms, state="normal", reason="", directives={}
            )
            with suppress(Unreachable, ApiFailure):
                self.client.put("/v1/directives", put)

    def crew(self) -> None:
        """Begin the agents."""
        mine = [market for market in self.markets if market not in self.spare]
        for number in range(min(PROCESSES, len(mine))):
            self._start(
                "tests.soak.crew", "--sock", str(self.folder.gateway_sock), "--token", TOKEN,
                "--folder", str(self.root / "agents"), *mine[number::PROCESSES],
            )  # fmt: skip

    def freeze(self) -> None:
        """What is open now passes nothing more; what is opened later does."""
        self.tap.send_signal(signal.SIGUSR1)

    def end(self) -> None:
        self._ended.set()
        children = [*self.children, *([self.gateway] if hasattr(self, "gateway") else [])]
        for child in children[::-1]:
            child.terminate()
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(10)
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()

    # ── what one can ask ─────────────────────────────────────────────────────────────────────

    def status(self) -> GatewayStatus | None:
        with suppress(Unreachable, ApiFailure):
            return self.client.status()
        return None

    def quoting(self) -> int:
        seen = self.status()
        rows = seen.markets if seen else ()
        return sum(r.report is not None and r.report.phase in {"QUOTING", "REDUCING"} for r in rows)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The venue itself, past tap and gateway; each time from another address of this machine,
        so that no question costs the fleet any weight.
        """
        self._asked = (self._asked + 1) % 200
        port = int(self.venue_url.rpartition(":")[2])
        call = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=10, source_address=(f"127.0.1.{self._asked + 1}", 0)
        )
        try:
            raw = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"}
            call.request("GET" if body is None else "POST", path, raw, headers)
            answer = call.getresponse()
            assert answer.status == 200, f"{path}: {answer.status}"
            return json.loads(answer.read())
        finally:
            call.close()

    def rests(self) -> int:
        """Orders of ours at the venue, on every DEX."""
        return sum(
            len(self.ask("/info", {"type": "openOrders", "user": self.address, "dex": dex}))
            for dex in ("", "xyz", "hyna", "km")
        )

    def booked(self) -> int:
        """Fills in the ledger."""
        with sqlite3.connect(f"file:{self.folder.ledger_db}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM fill").fetchone()[0])

    def book_faults(self) -> list[str]:
        """Ledger against venue: fills by id, positions."""
        with sqlite3.connect(f"file:{self.folder.ledger_db}?mode=ro", uri=True) as database:
            booked = database.execute("SELECT market, tid, oid FROM fill").fetchall()
            held = dict(database.execute("SELECT market, position_sz FROM book").fetchall())
        told: set[tuple[str, int, int]] = set()
        since_ms = 0
        while True:
            ask = {"type": "userFillsByTime", "user": self.address, "startTime": since_ms}
            rows = self.ask("/info", ask)
            told |= {(r["coin"], r["tid"], r["oid"]) for r in rows}
            last_ms = max((r["time"] for r in rows), default=since_ms)
            if len(rows) < FILLS_PAGE or last_ms <= since_ms:
                break
            since_ms = last_ms
        faults = [f"{len(told ^ set(booked))} fills differ"] if told != set(booked) else []
        faults += ["a fill twice"] if len(booked) != len(set(booked)) else []
        for dex in ("", "xyz", "hyna", "km"):
            ask = {"type": "clearinghouseState", "user": self.address, "dex": dex}
            for row in self.ask("/info", ask)["assetPositions"]:
                coin, size = row["position"]["coin"], Decimal(row["position"]["szi"])
                if Decimal(held.get(coin, "0")) != size:
                    faults.append(f"{coin}: ledger {held.get(coin)}, venue {size}")
        return faults


@contextmanager
def crowd(
    root: Path, *, flow: str = "real", spare: tuple[str, ...] = (), markets: tuple[str, ...] = ()
) -> Iterator[Crowd]:
    made = Crowd(root, flow=flow, spare=spare, markets=markets)
    try:
        made.begin()
        yield made
    finally:
        made.end()
