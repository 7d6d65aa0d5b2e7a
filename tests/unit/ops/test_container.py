"""The image and its compose file: what they name is there, and they may do little."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
OPS = ROOT / "ops"


def test_compose_is_read_only_and_mounts_what_is_there() -> None:
    services = yaml.safe_load((OPS / "compose.yaml").read_text())["services"]
    assert services["fleet"]["read_only"]
    assert services["fleet"]["cap_drop"] == ["ALL"]
    for service in services.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (OPS / source).exists(), volume


def test_the_image_copies_what_is_there_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if re.match(r"COPY (?!--from)", line)]
    assert all((ROOT / source).exists() for sources in copied for source in sources)
    assert "USER fleet" in lines
    assert any("--require-hashes" in line for line in lines)


def test_without_a_word_of_what_to_run_it_says_how() -> None:
    done = subprocess.run(
        ["sh", str(OPS / "container.sh")], capture_output=True, text=True, check=False, timeout=20
    )
    assert (done.returncode, done.stderr) == (3, "container.sh run MANIFEST | health\n")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    units = []
    for unit in sorted((OPS / "systemd").iterdir()):
        text = re.sub(r"/opt/fleet/(bin/fleet|ops/backup\.sh)", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(text)
        units.append(str(tmp_path / unit.name))
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "fleet" in line]
    assert ours == []
