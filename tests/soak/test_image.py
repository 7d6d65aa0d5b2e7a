"""The Dockerfile's steps in a prefix of their own, and what they build, run as nobody special.

``FLEET_IMAGE_PYTHON``: the interpreter to build with; ``FLEET_IMAGE_PIP``: further options of pip.
Run as root, the container's user is another one, who may write in its home alone; the interpreter
must then be one that everybody may run.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.under_test import ROOT, wait_for

UID = 10_001
PYTHON = os.environ.get("FLEET_IMAGE_PYTHON", sys.executable)
Running = subprocess.Popen[bytes]
LINES = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()


class Image:
    """``prefix`` stands for the root of the file system; of each stage only the files are kept."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.home = self.at("/var/lib/fleet")

    def at(self, path: str) -> Path:
        return self.prefix / path.lstrip("/")

    def mapped(self, text: str) -> str:
        """A command with its absolute paths in the prefix."""
        roots = r"(?<![\w.])/(opt|src|etc|usr/local/bin|var/lib)(?=[/\s:]|$)"
        return re.sub(roots, f"{self.prefix}/\\1", text)

    def build(self) -> None:
        """Every COPY and RUN, in order; the second stage's copies are there already."""
        for line in LINES:
            word, _, rest = line.partition(" ")
            if word == "COPY" and not rest.startswith("--from"):
                *sources, target = rest.split()
                self._copy(sources, target)
            elif word == "RUN" and not rest.startswith("useradd"):
                command = self.mapped(rest).replace("python -m venv", f"{PYTHON} -m venv")
                options = os.environ.get("FLEET_IMAGE_PIP", "")
                command = command.replace("pip install", f"pip install {options}")
                subprocess.run(["sh", "-ec", command], check=True, cwd=self.prefix, timeout=900)
        self.home.mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(self.home, UID, UID)
        subprocess.run(["chmod", "-R", "a-w,a+rX", *map(str, self._built())], check=True)

    def _built(self) -> list[Path]:
        return [self.at("/opt"), self.at("/etc"), self.at("/usr")]

    def _copy(self, sources: list[str], target: str) -> None:
        for source in map(ROOT.joinpath, sources):
            to = self.at(target) / (source.name if target.endswith("/") else "")
            to.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, to)

    @property
    def env(self) -> dict[str, str]:
        (line,) = [line for line in LINES if line.startswith("ENV ")]
        pairs = shlex.split(self.mapped(line.removeprefix("ENV ")))
        told = dict(pair.split("=", 1) for pair in pairs)
        path = f"{told['PATH'].partition(':')[0]}:{self.at('/usr/local/bin')}:{os.environ['PATH']}"
        return {**told, "PATH": path}

    def start(self, *words: str, program: str = "/usr/local/bin/fleet-container") -> Running:
        user = UID if os.geteuid() == 0 else None
        command = [str(self.at(program)), *words]
        return subprocess.Popen(command, env=self.env, cwd="/", user=user, group=user)

    def health(self) -> int:
        return self.start("health").wait(timeout=30)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="fleet-image-") as name:  # pytest's is its user's alone
        prefix = Path(name)
        prefix.chmod(0o755)
        made = Image(prefix)
        made.build()
        yield made
        subprocess.run(["chmod", "-R", "u+w", name], check=True)


def test_it_is_healthy_while_it_trades_and_ends_flat_of_orders_when_told(image: Image) -> None:
    assert image.health() != 0, "nothing runs yet"
    words = json.loads(next(line for line in LINES if line.startswith("CMD ")).removeprefix("CMD "))
    running = image.start(*map(image.mapped, words))
    try:
        wait_for("health", lambda: running.poll() is None and image.health() == 0, within_s=180)
        logs = image.home / "paper" / "logs"
        wait_for("a placement", lambda: b"order.place" in read(logs / "BTC.jsonl"), within_s=120)
    finally:
        running.send_signal(signal.SIGTERM)
        ended = running.wait(timeout=120)
        image.start("down", program="/opt/fleet/bin/fleet").wait(timeout=60)
    assert ended == 0
    assert image.health() != 0
    assert not (image.home / "paper" / "HALT").exists()
    assert list(image.at("/opt").rglob("*.new")) == []


def read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
