"""A process that holds the key: not dumpable, no core, and its place when memory runs out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.gateway.hardening import die_later

_LOOK = "import ctypes, resource; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), "
_LOOK += "*resource.getrlimit(resource.RLIMIT_CORE))"


def looked(before: str) -> str:
    code = f"{before}; {_LOOK}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module",
    ["fleet.gateway.guard", "fleet.gateway.main", "fleet.gateway.direct", "fleet.gateway.unlock"],
)
def test_each_program_that_reads_the_key_hardens_itself_first(module: str) -> None:
    source = Path(*module.split(".")).with_suffix(".py").read_text()
    assert "harden()" in source


def test_a_hardened_process_is_not_dumpable_and_leaves_no_core() -> None:
    assert looked("pass").startswith("1 ")
    assert looked("from fleet.gateway.hardening import harden; harden()") == "0 0 0"


def test_a_process_may_always_be_made_to_die_earlier() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        path = Path(f"/proc/{sleeper.pid}/oom_score_adj")
        score = int(path.read_text()) + 7
        assert die_later(score, sleeper.pid)
        assert int(path.read_text()) == score
        assert not die_later(0, "none")
    finally:
        sleeper.communicate()


_HOLDS = """
import os, sys
from agents.exchange.signing import L1Signer
from fleet.gateway.hardening import harden
harden()
key = bytes.fromhex(sys.stdin.readline())
signer = L1Signer(key, mainnet=False)
print(signer, repr(signer), vars(signer) if hasattr(signer, "__dict__") else "")
"""


@pytest.mark.parametrize(
    "end", ["os.abort()", "os.kill(os.getpid(), 11)", "raise RuntimeError(signer)"]
)
def test_a_crash_leaves_no_core_and_its_report_no_key(tmp_path: Path, end: str) -> None:
    key = "5a" * 32
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDS + end], cwd=tmp_path, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin as pipe:
        pipe.write(key.encode() + b"\n")
    with child.stdout as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child.pid, 0)
    child.returncode = status
    assert status != 0
    assert not os.WCOREDUMP(status)
    assert list(tmp_path.iterdir()) == []
    assert key not in said.lower()
    assert repr(bytes.fromhex(key)) not in said
