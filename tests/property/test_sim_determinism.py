"""Equal seeds and requests give equal bytes, also in processes that hash strings differently."""

import os
import subprocess
import sys
from pathlib import Path

STORY = """
import hashlib, random, sys
import msgspec
from agents.sim.flow import Flow
from tests.property.sim_market import Run, USERS

run = Run(int(sys.argv[1]))
digest = hashlib.blake2b()
encode = msgspec.json.Encoder().encode
for number in range(300):
    for output in run.step():
        digest.update(encode([type(output).__name__, output]))
    if number % 20 == 0:
        for kind in ("clearinghouseState", "frontendOpenOrders", "userFills", "historicalOrders",
                     "userFees", "portfolio", "subAccounts2"):
            asked = {"type": kind, "user": USERS[0], "dex": "", "startTime": 0}
            digest.update(encode(run.exchange.info(asked, run.now_ms)))
        for kind in ("metaAndAssetCtxs", "perpDexs", "allMids", "spotMeta", "predictedFundings"):
            digest.update(encode(run.exchange.info({"type": kind, "dex": ""}, run.now_ms)))
digest.update(encode(run.exchange.snapshot()))
universe = run.exchange.universe
flow = Flow(universe, random.Random(run.now_ms), "lively")


class Door:
    place_flow = run.exchange.place_flow
    cancel_flow = run.exchange.cancel_flow
    next_oid = run.exchange.next_oid
    set_oracle = run.exchange.set_oracle
    market = run.exchange.floor.markets.__getitem__


for _ in range(60):
    run.now_ms += 70
    run.exchange.begin(run.now_ms)
    flow.step(Door, run.now_ms)
    for output in run.exchange.block(run.now_ms):
        digest.update(encode([type(output).__name__, output]))
print(digest.hexdigest())
"""


def told(seed: int, hash_seed: str) -> str:
    """The digest of everything a seeded story made the exchange say and keep."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())}
    found = subprocess.run(
        [sys.executable, "-c", STORY, str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_two_processes_say_the_same_byte_for_byte() -> None:
    first = told(5, "1")
    assert len(first.strip()) == 128
    assert first == told(5, "4242")
    assert first != told(6, "1")
