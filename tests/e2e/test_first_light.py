"""The demo's fleet from the outside: what a user types, what the venue and the kernel say to it.

The tests run in this order on one fleet: looking first, then killing, then halting.
"""

import json
import os
import signal
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.under_test import Fleet, all_quoting, family, processes_of, wait_for

MARKETS = {"BTC", "ETH", "SOL", "hyna:BTC", "xyz:NVDA"}
FLEET_KEYS = {
    "fleet",
    "network",
    "url",
    "address",
    "revision",
    "halted",
    "halt",
    "as_of_ms",
    "supervisor",
    "gateway",
    "ledger",
    "risk",
    "account",
    "markets",
}
MARKET_KEYS = {
    "market",
    "asset",
    "dex",
    "sync",
    "owner",
    "phase",
    "reason",
    "as_of_ms",
    "stale",
    "position_sz",
    "position_usd",
    "entry_px",
    "mark_px",
    "pnl",
    "pnl_day_usd",
    "open_orders",
    "bid_px",
    "ask_px",
    "half_spread_bps",
    "fills",
    "taker_fills",
    "volume_usd",
    "quote_uptime_share",
    "data_age_ms",
    "restarts",
    "pid",
}


def test_five_markets_quote_and_trade(paper: Fleet) -> None:
    status = paper.status()
    assert set(status) >= FLEET_KEYS
    assert {m["market"] for m in status["markets"]} == MARKETS
    assert all(set(m) >= MARKET_KEYS for m in status["markets"])
    assert (status["supervisor"], status["gateway"], status["ledger"]) == ("up", "up", "up")
    wait_for("all QUOTING", lambda: all_quoting(paper), within_s=60)
    wait_for(
        "fills on three markets",
        lambda: sum(m["fills"] > 0 for m in paper.status()["markets"]) >= 3,
        within_s=90,
        every_s=1,
    )
    assert sum(m["taker_fills"] for m in paper.status()["markets"]) == 0


def test_pnl_adds_up(paper: Fleet) -> None:
    for market in paper.status()["markets"]:
        pnl = market["pnl"]
        parts = pnl["realized_usd"] + pnl["unrealized_usd"] - pnl["fees_usd"] + pnl["funding_usd"]
        assert pnl["total_usd"] == pytest.approx(parts, abs=1e-6)


def venue_positions(paper: Fleet, address: str) -> dict[str, Decimal]:
    return {
        row["position"]["coin"]: Decimal(row["position"]["szi"])
        for dex in ("", "hyna", "xyz")
        for row in paper.info({"type": "clearinghouseState", "user": address, "dex": dex})[
            "assetPositions"
        ]
    }


def test_positions_equal_the_venues(paper: Fleet) -> None:
    address = paper.status()["address"]

    def agree() -> bool:
        before = venue_positions(paper, address)
        ours = {m["market"]: Decimal(str(m["position_sz"])) for m in paper.status()["markets"]}
        if before != venue_positions(paper, address):
            return False  # it traded between the two looks: look again
        return {m: sz for m, sz in ours.items() if sz} == {m: sz for m, sz in before.items() if sz}

    wait_for("positions equal to the venue's in one quiet moment", agree, within_s=30)


def account_actions(paper: Fleet) -> int:
    with_markets = (paper.folder / "gateway/actions").glob("*.log")
    return sum(path.read_bytes().count(b"updateLeverage") for path in with_markets)


def test_a_quote_is_explained(paper: Fleet) -> None:
    told = paper.cli.json("--fleet", "paper", "explain", "hyna:BTC")
    assert (told["phase"], told["gates"]) == ("QUOTING", [])
    for why in (told["bid"], told["ask"]):
        parts_bps = sum(why["parts_bps"].values())
        assert abs(parts_bps - why["half_spread_bps"]) < 1e-9
        rest_bps = why["inventory_bps"] + why["patience_bps"] + why["presence_bps"]
        if why["wanted"]:
            assert abs(parts_bps + rest_bps + why["grid_bps"] - why["first_bps"]) < 1e-9
    done = paper.cli.run("--fleet", "paper", "explain", "DOGE")
    assert (done.returncode, "no market 'DOGE'" in done.stderr) == (3, True)


def test_second_apply_changes_nothing(paper: Fleet) -> None:
    pids = {m["market"]: m["pid"] for m in paper.status()["markets"]}
    actions = account_actions(paper)
    done = paper.cli.run("apply", "manifests/paper.yaml", "--yes")
    assert done.returncode == 0, done.stderr
    assert "no changes" in done.stdout
    assert {m["market"]: m["pid"] for m in paper.status()["markets"]} == pids
    assert account_actions(paper) == actions


def test_the_key_is_nowhere_but_in_its_file(paper: Fleet) -> None:
    key_file = paper.folder / "venue/account.key"
    key = key_file.read_text().strip().removeprefix("0x").encode()
    assert len(key) == 64
    assert key_file.stat().st_mode & 0o077 == 0
    for pid in family(set(processes_of(paper))):
        for name in ("environ", "cmdline"):
            try:
                assert key not in Path(f"/proc/{pid}/{name}").read_bytes(), f"{name} of {pid}"
            except OSError:
                continue
    places = [paper.folder, Path(os.path.realpath(paper.folder / "run"))]
    for place in places:
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink() and path != key_file:
                content = path.read_bytes()
                assert key not in content, path
                assert bytes.fromhex(key.decode()) not in content, path


def listening(inodes: set[str]) -> list[str]:
    """Local addresses (hex) of the TCP sockets that listen, out of these inodes."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.append(fields[1].split(":")[0])
    return found


def test_nothing_listens_beyond_loopback(paper: Fleet) -> None:
    inodes = set()
    for pid in family(set(processes_of(paper))):
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(descriptor.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    addresses = listening(inodes)
    assert addresses, "the venue at least listens"
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    assert set(addresses) <= loopback


def test_a_killed_agent_leaves_no_order_and_comes_back(paper: Fleet) -> None:
    before = paper.market("ETH")
    status = paper.status()
    os.kill(before["pid"], signal.SIGKILL)

    old = {o["cloid"] for o in paper.open_orders(status["address"]) if o["coin"] == "ETH"}
    wait_for(
        "its orders gone",
        lambda: not old & {o["cloid"] for o in paper.open_orders(status["address"])},
        within_s=4,
        every_s=0.1,
    )
    wait_for(
        "quoting again under a new process",
        lambda: (now := paper.market("ETH"))["phase"] == "QUOTING" and now["pid"] != before["pid"],
        within_s=60,
    )
    assert paper.market("ETH")["restarts"] == before["restarts"] + 1
    address = status["address"]
    wait_for(
        "position as the venue has it",
        lambda: (
            Decimal(str(paper.market("ETH")["position_sz"]))
            == venue_positions(paper, address).get("ETH", 0)
        ),
        within_s=20,
    )


def test_a_killed_supervisor_costs_nothing(paper: Fleet) -> None:
    pids = {m["market"]: m["pid"] for m in paper.status()["markets"]}
    supervisor = json.loads((paper.folder / "pids/supervisor.json").read_text())["pid"]
    os.kill(supervisor, signal.SIGKILL)
    assert {m["market"]: m["pid"] for m in paper.status()["markets"]} == pids
    wait_for(
        "the supervisor is back",
        lambda: paper.status()["supervisor"] == "up",
        within_s=60,
        every_s=1,
    )
    wait_for("all QUOTING", lambda: all_quoting(paper), within_s=30)
    assert {m["market"]: m["pid"] for m in paper.status()["markets"]} == pids


def test_halt_proves_and_latches(paper: Fleet) -> None:
    address = paper.status()["address"]
    done = paper.cli.run("--fleet", "paper", "halt", "--reason", "test", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["halted"]
    assert report["flat_of_orders"]
    assert report["proof"]["snapshots"] == 2
    assert report["proof"]["in_flight_unresolved"] == 0
    for _ in range(2):
        assert paper.open_orders(address) == []
        time.sleep(1)
    assert (paper.folder / "HALT").exists()
    assert paper.cli.run("apply", "manifests/paper.yaml", "--yes").returncode == 5
    assert paper.status()["halted"] is True


def test_resume_lifts_the_latch(paper: Fleet) -> None:
    done = paper.cli.run("--fleet", "paper", "resume", "--reason", "tested")
    assert done.returncode == 0, done.stderr
    assert not (paper.folder / "HALT").exists()
    wait_for("all QUOTING", lambda: all_quoting(paper), within_s=90, every_s=1)
