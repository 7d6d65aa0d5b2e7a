"""What a running fleet makes of deaths and operators' words, seen from the outside."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.under_test import Fleet, all_quoting, wait_for


def by_market(fleet: Fleet, key: str) -> dict[str, Any]:
    return {m["market"]: m[key] for m in fleet.status()["markets"]}


def pid_of(fleet: Fleet, process: str) -> int:
    return int(json.loads((fleet.folder / f"pids/{process}.json").read_text())["pid"])


def told(fleet: Fleet, market: str, event: str) -> list[dict[str, Any]]:
    """Lines of one kind in a market's log."""
    lines = (fleet.folder / f"logs/{market.replace(':', '%3A')}.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["event"] == event]


def test_a_killed_gateway_costs_no_agent_and_no_cancel(paper: Fleet) -> None:
    """Under load; agents go on as the same processes, under the same leases, with their orders."""
    wait_for("all QUOTING", lambda: all_quoting(paper), within_s=60)
    pids, generations = by_market(paper, "pid"), by_market(paper, "generation")
    os.kill(pid_of(paper, "gateway"), signal.SIGKILL)
    wait_for(
        "every agent continues",
        lambda: all(told(paper, market, "lease.continued") for market in pids),
        within_s=6,
        every_s=0.1,
    )
    wait_for("QUOTING again", lambda: all_quoting(paper), within_s=5)
    assert (by_market(paper, "pid"), by_market(paper, "generation")) == (pids, generations)
    swept = 0
    for market in pids:
        (continued,) = told(paper, market, "lease.continued")[-1:]
        assert continued["away_ms"] < 5_000
        # A cancel of all that was found resting shows; one market may just then move its ladder.
        after = [row for row in told(paper, market, "order.cancel") if row["at"] > continued["at"]]
        at_once = [row for row in after if row["at"][:19] == continued["at"][:19]]
        gone = sum(len(row["cloids"]) for row in at_once)
        swept += gone >= max(continued["open_orders"], 1)
    assert swept <= len(pids) // 2
    wait_for(
        "no drift: what traded meanwhile is known",
        lambda: all_quoting(paper) and not any(by_market(paper, "reason").values()),
        within_s=5,
    )


def test_an_agent_that_was_stopped_past_its_lease_leaves_without_a_word(paper: Fleet) -> None:
    before = paper.market("BTC")
    os.kill(before["pid"], signal.SIGSTOP)
    stopped_at = time.time()
    try:
        wait_for(
            "its lease ended",
            lambda: paper.market("BTC")["pid"] != before["pid"],
            within_s=10,
        )
    finally:
        os.kill(before["pid"], signal.SIGCONT)
    wait_for(
        "it left",
        lambda: any(row["pid"] == before["pid"] for row in told(paper, "BTC", "agent.exit")),
        within_s=10,
    )
    (left,) = [row for row in told(paper, "BTC", "agent.exit") if row["pid"] == before["pid"]]
    assert left["code"] == 75
    asked = [row for row in told(paper, "BTC", "order.place") if row["pid"] == before["pid"]]
    late = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stopped_at + 2))
    assert [row for row in asked if row["at"] > late] == []
    wait_for("all QUOTING", lambda: all_quoting(paper), within_s=60, every_s=0.5)


def test_operators_words_are_done_and_written_down(paper: Fleet) -> None:
    def fleet(*words: str) -> None:
        done = paper.cli.run("--fleet", "paper", *words)
        assert done.returncode == 0, done.stdout + done.stderr

    fleet("pause", "hyna")
    wait_for("paused", lambda: paper.market("hyna:BTC")["phase"] == "PAUSED", within_s=5)
    wait_for("no order", lambda: paper.market("hyna:BTC")["open_orders"] == 0, within_s=5)
    fleet("unpause", "hyna:BTC")
    pid = paper.market("xyz:NVDA")["pid"]
    words = [("flatten", "ETH"), ("restart", "xyz:NVDA"), ("drain", "SOL")]
    with ThreadPoolExecutor() as people:  # three at once
        list(people.map(lambda said: fleet(*said), words))
    assert paper.market("ETH")["position_sz"] == 0
    assert paper.market("SOL")["phase"] == "STOPPED"
    fleet("unpause", "ETH")
    assert paper.cli.run("--fleet", "paper", "restart", "SOL").returncode == 3
    assert paper.cli.run("apply", "manifests/paper.yaml", "--yes").returncode == 0
    wait_for("all QUOTING", lambda: all_quoting(paper), within_s=60, every_s=0.5)
    now_pid = paper.market("xyz:NVDA")["pid"]
    assert now_pid != pid
    (found,) = [row for row in told(paper, "xyz:NVDA", "beliefs.found") if row["pid"] == now_pid]
    assert found["age_s"] < 60, "what the agent before it believed was stored as it left"
