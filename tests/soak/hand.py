"""Another hand on a running fleet's account, and what one sees of a market from outside."""

import json
import sys
import time
from typing import Any, Final

import msgspec

from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.market.instrument import wire
from agents.market.types import Side
from fleet.alerts.settings import settings_path
from fleet.gateway.api import MarketView
from fleet.gateway.client import GatewayClient
from tests.e2e.under_test import wait_for
from tests.soak.rig import Rig

CROSS_SHARE: Final = 0.004
STEP_SHARE: Final = 0.007
STEP_S: Final = 6.0


class Hand:
    """Trades by hand, moves prices, listens to alerts; and looks at the venue itself."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.began_s = rig, time.monotonic()
        key = rig.folder.account_key.read_text(encoding="ascii").strip().removeprefix("0x")
        self._signer = L1Signer(bytes.fromhex(key), mainnet=True)
        self._heard = rig.folder.gateway / "heard"
        write = f"import sys; open({str(self._heard)!r}, 'a').write(sys.stdin.read())"
        told = {"command": [sys.executable, "-c", write]}
        settings_path(rig.folder).write_text(json.dumps(told))

    # ── what one does ────────────────────────────────────────────────────────────────────────

    def trade(self, market: str, usd: float) -> None:
        """Buy so much at once, or sell it."""
        view = self.view(market)
        assert view.instrument is not None
        assert view.bid_px is not None
        assert view.ask_px is not None
        side = Side.BID if usd > 0 else Side.ASK
        near_px = view.ask_px if usd > 0 else view.bid_px
        px = view.instrument.passive_px(near_px * (1.0 + side.sign * CROSS_SHARE), side.opposite)
        sz = view.instrument.floor_sz(abs(usd) / near_px)
        terms = {
            "a": view.instrument.asset_id, "b": usd > 0, "p": wire(px), "s": wire(sz),
            "r": False, "t": {"limit": {"tif": "Ioc"}},
        }  # fmt: skip
        action = {"type": "order", "orders": [terms], "grouping": "na"}
        nonce = time.time_ns() // 1_000_000
        body = exchange_body(action, nonce, self._signer.sign(pack(action), nonce))
        answer = json.loads(self.rig.post("/exchange", _plain(body)))
        assert answer["status"] == "ok", answer
        assert "filled" in answer["response"]["data"]["statuses"][0], answer

    def jump(self, market: str, share: float) -> None:
        self.rig.post("/admin/price", {market: share})

    def walk(self, market: str, share: float) -> None:
        """One step of a price that goes so slowly that it is no leap."""
        self.jump(market, max(-STEP_SHARE, min(STEP_SHARE, share)))
        time.sleep(STEP_S)

    def sweep(self, market: str, side: str, usd: float) -> None:
        self.rig.post("/admin/sweep", {"coin": market, "side": side, "usd": usd})

    def open(self, market: str) -> None:
        """A person lets the market go on."""
        done = self.rig.fleet.cli.run("--fleet", self.rig.fleet.name, "unpause", market)
        assert done.returncode == 0, done.stdout + done.stderr

    # ── what one sees ────────────────────────────────────────────────────────────────────────

    def view(self, market: str) -> MarketView:
        status = GatewayClient(self.rig.folder, 5.0).status()
        return next(view for view in status.markets if view.market == market)

    def row(self, market: str) -> dict[str, Any]:
        rows = self.rig.look()["markets"]
        found: dict[str, Any] = next(row for row in rows if row["market"] == market)
        return found

    def spoken(self, market: str) -> tuple[str, str]:
        """(monitor, mode) of the worst that is found."""
        told = self.row(market)["monitor"]
        return ("", "") if told is None else (str(told["monitor"]), str(told["mode"]))

    def killed_by(self, market: str) -> str:
        """Why the market's fence is closed, by the gateway."""
        view = self.view(market)
        return (view.fence_reason or "") if view.fenced else ""

    def sides(self, market: str) -> set[str]:
        """Which sides rest at the venue: B, A."""
        return {row["side"] for row in self.rig.resting() if row["coin"] == market}

    def held(self, market: str) -> float:
        """The position at the venue, its own word."""
        dex = market.rpartition(":")[0]
        ask = {"type": "clearinghouseState", "user": self.rig.address, "dex": dex}
        rows = self.rig.info(ask)["assetPositions"]
        sizes = {row["position"]["coin"]: float(row["position"]["szi"]) for row in rows}
        return sizes.get(market, 0.0)

    def alerts(self, market: str) -> set[str]:
        lines = self._heard.read_text().splitlines() if self._heard.exists() else []
        return {row["event"] for row in map(json.loads, lines) if row.get("market") == market}

    # ── what one waits for ───────────────────────────────────────────────────────────────────

    def heard(self, market: str, monitor: str, *modes: str, within_s: float = 60.0) -> float:
        """Until the monitor speaks; how long it took."""
        seen: set[tuple[str, str]] = set()

        def speaks() -> bool:
            told = self.spoken(market)
            seen.add(told)
            return told[0] == monitor and told[1] in modes

        try:
            return wait_for(f"{monitor} {modes} of {market}", speaks, within_s, every_s=0.1)
        finally:
            print(f"\n{market}: wanted {monitor} {modes}, heard {sorted(seen)}")  # noqa: T201

    def killed(self, market: str, monitor: str, within_s: float = 60.0) -> None:
        """The market's fence is shut because of the monitor, an alert says so, nothing rests."""
        wait_for(
            f"{market} to be killed by {monitor}",
            lambda: f"by {monitor}" in self.killed_by(market),
            within_s,
        )
        wait_for(f"nothing of {market} to rest", lambda: not self.sides(market), 10.0)
        wait_for(f"an alert of {market}", lambda: "fenced" in self.alerts(market), 15.0)
        print(f"\n{market}: {self.killed_by(market)}")  # noqa: T201

    def quotes(self, *markets: str, within_s: float = 90.0) -> None:
        def all_quote() -> bool:
            rows = {row["market"]: row["phase"] for row in self.rig.look()["markets"]}
            return all(rows[market] == "QUOTING" for market in markets or rows)

        wait_for(f"{markets or 'all'} to quote", all_quote, within_s)


def _plain(body: object) -> dict[str, Any]:
    found = msgspec.to_builtins(body)
    assert isinstance(found, dict)
    return found
