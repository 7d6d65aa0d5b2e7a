"""Forty markets on four DEXs through one gateway, under a venue that enforces every limit.

``FORTY_MINUTES`` (20) of quoting: at most three connections upstream, one signer, nothing turned
away: no 429, no nonce error, no refused subscription. The same run tells what it takes: requests,
weight, memory, processor, stalls. At rest for figures that mean something.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from fleet.gateway.framing import read_records
from fleet.gateway.records import Answered, Refused, Sent
from tests.e2e.under_test import wait_for
from tests.soak.forty import (
    MARKETS,
    Watch,
    burn_per_h,
    forty,
    processes,
    requests_used,
    say,
    stall_lines,
    stats,
    taken,
    usage_lines,
)
from tests.soak.rig import Rig

MINUTES = float(os.environ.get("FORTY_MINUTES", "20"))
CONNECTIONS_MAX = 3
WARM_S = 60.0
BURN_SHARE = 0.2
_NONCE = "nonce"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with forty(tmp_path_factory.mktemp("f")) as made:
        yield made


def quoting(rig: Rig) -> int:
    return sum(row["phase"] == "QUOTING" for row in rig.look()["markets"])


def test_forty_markets_pass_through_one_door(rig: Rig) -> None:
    wait_for("all quote", lambda: quoting(rig) == MARKETS, within_s=300, every_s=1.0)
    time.sleep(WARM_S)
    names = processes(rig)
    before = {pid: found for pid in names.values() if (found := taken(pid)) is not None}
    counted, used, seen = stats(rig), requests_used(rig), rig.look()
    records_before = len(_records(rig))
    watch, began_s = Watch(rig), time.monotonic()
    watch.run(MINUTES * 60)
    seconds = time.monotonic() - began_s
    after = {pid: found for pid in names.values() if (found := taken(pid)) is not None}
    counts, last = stats(rig), rig.look()
    burnt = requests_used(rig) - used
    net_per_h = burn_per_h(rig)
    told_per_h = last["account"]["allowance"]["burn_per_h"]
    bodies = _records(rig)[records_before:]
    say(f"\n{seconds:.0f} s, {watch.looks} looks, least quoting {watch.quoting_least}")
    for line in usage_lines(names, before, after, seconds):
        say(line)
    for line in stall_lines(seen["loops"], last["loops"]):
        say(line)
    say(f"connections {watch.connections} at most, subscriptions {counts['subscriptions']}")
    say(f"requests of the account {burnt}, {burnt * 3600 / seconds:.0f} an hour")
    say(f"burn since the start {net_per_h:.0f} an hour by the venue, {told_per_h:.0f} in status")
    say(f"IP weight {100 * watch.weight_share:.0f} % at most")
    sent, refused, told = _tally(bodies)
    say(f"actions {dict(sent)}; refused at the door {dict(refused)}; by the venue {dict(told)}")
    volume_usd = sum(row["volume_usd"] for row in last["markets"])
    fills = sum(row["fills"] for row in last["markets"])
    uptimes = [row["quote_uptime_share"] for row in last["markets"] if row["quote_uptime_share"]]
    say(f"fills {fills}, volume {volume_usd:.0f} USD; uptime least {min(uptimes, default=0):.3f}")
    say(f"warnings {sorted(watch.warnings)}")
    assert watch.connections <= CONNECTIONS_MAX
    assert counts["turned_away"] == counted["turned_away"], "429"
    assert counts["complaints"] == counted["complaints"], "refused by the venue's socket"
    assert not [text for text in told if _NONCE in text.lower()]
    assert abs(told_per_h - net_per_h) <= BURN_SHARE * abs(net_per_h)
    assert rig.book_faults() == []


def _records(rig: Rig) -> list[object]:
    paths = sorted(rig.folder.actions.glob("*.log"), key=lambda path: int(path.stem))
    return [record.body for path in paths for _, record in read_records(path)]


def _tally(bodies: list[object]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Actions by type, refusals by reason, the venue's errors by their first words."""
    sent: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for body in bodies:
        if isinstance(body, Sent):
            sent[msgspec.json.decode(body.action)["type"]] += 1
        elif isinstance(body, Refused):
            refused[body.reason] += 1
        elif isinstance(body, Answered) and body.answer:
            for text in _errors(msgspec.json.decode(body.answer)):
                told[" ".join(text.split()[:4])] += 1
    return sent, refused, told


def _errors(answer: object) -> list[str]:
    if not isinstance(answer, dict):
        return []
    if answer.get("status") == "err":
        return [str(answer.get("response"))]
    data = answer.get("response", {}).get("data", {})
    rows = data.get("statuses", []) if isinstance(data, dict) else []
    return [str(row["error"]) for row in rows if isinstance(row, dict) and "error" in row]
