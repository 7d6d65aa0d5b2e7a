"""A market whose agent dies for good while it holds a position: the caretaker does what is said.

The manifest says ``on_orphan: {after_s: 10, do: reduce, collar_bps: 50}``: first it watches, then
it rests at the touch, reduce-only, until the position is closed; status and alert say so.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.rig import Rig
from tests.soak.test_budget import MANIFEST, deadly, row

COLLAR = Decimal(50) / 10_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", MANIFEST, "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "matrix"), MANIFEST)
    finally:
        cli.run("--fleet", "matrix", "down")


def resting(rig: Rig) -> list[dict[str, Any]]:
    ask = {"type": "frontendOpenOrders", "user": rig.address, "dex": ""}
    return [order for order in rig.info(ask) if order["coin"] == "BTC"]


def alerts(rig: Rig) -> list[str]:
    told = []
    for line in rig.folder.log("gateway").read_text().splitlines():
        said = json.loads(line)
        if said["event"] == "alert" and said.get("market") == "BTC":
            told.append(str(said["text"]))
    return told


def test_the_caretaker_reduces_what_a_dead_market_holds(rig: Rig) -> None:
    wait_for("all QUOTING", rig.whole, within_s=60)
    wait_for("a position", lambda: abs(row(rig, "BTC")["position_usd"] or 0.0) > 300, 120)
    with deadly(rig, "BTC"):
        wait_for("BTC FAILED", lambda: row(rig, "BTC")["phase"] == "FAILED", within_s=180)
    seen = row(rig, "BTC")
    assert seen["owner"] == ("caretaker" if seen["position_sz"] else "none")
    if not seen["position_sz"]:
        pytest.skip("the caretaker had closed it before the market failed")
    wait_for("an order that reduces", lambda: bool(resting(rig)), within_s=30)
    for _ in range(20):
        mark = Decimal(str(row(rig, "BTC")["mark_px"]))
        for order in resting(rig):
            assert order["reduceOnly"]
            worse = Decimal(order["limitPx"]) / mark - 1
            assert (worse if order["side"] == "B" else -worse) <= COLLAR + Decimal("0.001")
    assert any("the caretaker reduces it" in text for text in alerts(rig))
    seen = row(rig, "BTC")
    assert "the caretaker reduces the position" in (seen["reason"] or "") or not seen["position_sz"]
    wait_for("closed", lambda: not row(rig, "BTC")["position_sz"], within_s=180)
    wait_for("nobody's", lambda: row(rig, "BTC")["owner"] == "none", within_s=15)
    assert resting(rig) == []
    wait_for("told", lambda: "BTC: the position is closed" in alerts(rig), within_s=5)
    assert row(rig, "BTC")["phase"] == "FAILED"
    assert rig.book_faults() == []
