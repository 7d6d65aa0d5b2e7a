"""Two hands on one account: another fleet's order is seen, told, and stops what adds risk."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_cancel, encode_place
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.exchange.wire import Action
from agents.market.types import Cloid, Side
from fleet.alerts.settings import settings_path
from fleet.folder import Folder
from fleet.gateway.api import MarketView
from fleet.gateway.client import GatewayClient
from fleet.gateway.core.cloids import parse
from tests.e2e.under_test import Fleet, all_quoting, wait_for

STRAY = Cloid("0xf1ee99999900010000010" + "0" * 10 + "1")
MARKET = "ETH"


class Desk:
    """The account's own key in another hand, and an ear for the fleet's alerts."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.folder = fleet, Folder(fleet.folder)
        key = self.folder.account_key.read_text(encoding="ascii").strip().removeprefix("0x")
        self._signer = L1Signer(bytes.fromhex(key), mainnet=True)
        self.url, self.address = str(fleet.status()["url"]), self._signer.address
        self.heard = self.folder.gateway / "heard"

    def listen(self) -> None:
        """``alerts.json`` names a command; the ledger's process takes it over as it is written."""
        write = f"import sys; open({str(self.heard)!r}, 'a').write(sys.stdin.read())"
        told = {"command": [sys.executable, "-c", write]}
        settings_path(self.folder).write_text(json.dumps(told))

    def alerts(self, about: str) -> list[dict[str, Any]]:
        lines = self.heard.read_text().splitlines() if self.heard.exists() else []
        return [told for told in map(json.loads, lines) if told["event"] == about]

    def view(self, market: str = MARKET) -> MarketView:
        status = GatewayClient(self.folder, 5.0).status()
        return next(view for view in status.markets if view.market == market)

    def act(self, action: Action) -> Any:
        nonce = int(time.time() * 1_000)
        signature = self._signer.sign(pack(action), nonce)
        body = msgspec.json.encode(exchange_body(action, nonce, signature, None))
        call = urllib.request.Request(
            self.url + "/exchange", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(call, timeout=5) as answer:
            return json.load(answer)

    def adding(self) -> list[str]:
        """Orders of the fleet's own that could add to a position."""
        found = []
        for dex in ("", "hyna", "xyz"):
            ask = {"type": "frontendOpenOrders", "user": self.address, "dex": dex}
            for row in self.fleet.info(ask):
                origin = parse(row["cloid"])
                if origin is not None and row["cloid"] != STRAY and not row["reduceOnly"]:
                    found.append(f"{row['coin']} {row['side']} {row['sz']}")
        return found


@pytest.fixture
def desk(paper: Fleet) -> Iterator[Desk]:
    made = Desk(paper)
    yield made
    settings_path(made.folder).unlink(missing_ok=True)
    paper.cli.run("--fleet", paper.name, "resume", "--reason", "over")


def test_another_fleets_order_leaves_only_what_reduces(desk: Desk) -> None:
    fleet = desk.fleet
    wait_for("all QUOTING", lambda: all_quoting(fleet), 60)
    desk.listen()
    wait_for("all QUOTING again", lambda: all_quoting(fleet), 60)
    view = desk.view()
    assert view.bid_px is not None
    assert view.instrument is not None
    px = view.instrument.passive_px(view.bid_px * 0.9, Side.BID)
    asset = view.instrument.asset_id
    placed = desk.act(encode_place([NewOrder(STRAY, Side.BID, px, Decimal("0.01"))], asset))
    assert "resting" in placed["response"]["data"]["statuses"][0]
    wait_for("told by the command", lambda: bool(desk.alerts("second_controller")), 10)
    told = desk.alerts("second_controller")
    assert [row["severity"] for row in told] == ["critical"]
    assert "instance 999999" in told[0]["text"]
    wait_for("nothing that adds", lambda: not desk.adding(), 10)
    status = fleet.status()
    assert any("another controller" in line for line in status["warnings"])
    done = fleet.cli.run("apply", "manifests/paper.yaml", "--yes")
    assert done.returncode == 6, done.stderr
    assert "another controller trades this account" in done.stderr
    assert [row["cloid"] for row in fleet.open_orders(desk.address) if row["cloid"] == STRAY]

    desk.act(encode_cancel([STRAY], asset))
    assert not desk.adding(), "its end alone opens nothing: a person does"
    done = fleet.cli.run("--fleet", fleet.name, "resume", "--reason", "the other is ended")
    assert done.returncode == 0, done.stderr
    wait_for("all QUOTING once more", lambda: all_quoting(fleet), 60)
    wait_for("quotes that add", lambda: bool(desk.adding()), 30)
    assert fleet.cli.run("apply", "manifests/paper.yaml", "--yes").returncode == 0
