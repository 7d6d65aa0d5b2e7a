"""``fleet status -o json`` as a whole process, beside an interpreter that does nothing."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.figures import Figures

LIMIT_S = 0.300


def process_s(command: list[str], environment: dict[str, str], rounds: int = 7) -> float:
    """Seconds of one whole process: the median; the first, which fills the caches, is dropped."""
    spent = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent[1:])


def test_status(tmp_path: Path, figures: Figures) -> None:
    folder = tmp_path / "bench"
    folder.mkdir()
    identity = {
        "schema": "fleet/1", "fleet": "bench", "network": "paper", "address": "0x" + "ab" * 20,
        "instance": "abcdef", "created_ms": 1,
    }  # fmt: skip
    (folder / "fleet.json").write_text(json.dumps(identity))
    environment = {**os.environ, "FLEET_HOME": str(tmp_path)}
    bare_s = process_s([sys.executable, "-c", "pass"], environment)
    status = [str(Path(sys.executable).parent / "fleet"), "status", "-o", "json"]
    figures.add(
        "fleet status -o json, whole process",
        value_s=process_s(status, environment),
        yardstick="an empty interpreter",
        yardstick_s=bare_s,
        ratio_max=LIMIT_S / bare_s,
    )
