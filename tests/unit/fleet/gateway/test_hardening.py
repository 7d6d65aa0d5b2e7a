"""A process that holds the key: not dumpable, no core, and its place when memory runs out."""

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
    assert "harden()" in source or "_undumpable()" in source


def test_a_hardened_process_is_not_dumpable_and_leaves_no_core() -> None:
    assert looked("pass").startswith("1 ")
    assert looked("from fleet.gateway.hardening import harden; harden()") == "0 0 0"
    undumpable = "from fleet.gateway.main import _undumpable; _undumpable()"
    assert looked(undumpable).startswith("0 ")


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
