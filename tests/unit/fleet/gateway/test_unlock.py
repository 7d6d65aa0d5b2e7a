"""A keystore is opened with its passphrase, into a pipe and nowhere else; the rest is one line."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from eth_account import Account

from fleet.processes import clean_environment, python

KEY = "5e" * 32
PASSPHRASE = "correct horse"


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "wallet.json"
    encrypted = Account.encrypt(bytes.fromhex(KEY), PASSPHRASE, kdf="pbkdf2", iterations=10)
    path.write_text(json.dumps(encrypted))
    path.chmod(0o600)
    return path


def unlocked(path: Path, passphrase: str, stdout: int = subprocess.PIPE) -> tuple[int, str, str]:
    done = subprocess.run(
        python("fleet.gateway.unlock", "--keystore", str(path)),
        input=passphrase + "\n", env=clean_environment(os.environ), stdout=stdout,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout or "", done.stderr


def test_the_passphrase_opens_it(keystore: Path) -> None:
    assert unlocked(keystore, PASSPHRASE) == (0, KEY + "\n", "")


def test_a_wrong_passphrase_is_one_line_that_holds_no_secret(keystore: Path) -> None:
    code, out, said = unlocked(keystore, "wrong horse")
    assert (code, out, said) == (3, "", f"{keystore}: the passphrase is wrong\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [(None, "cannot be read"), ("{", "not JSON"), ("[]", "known kind"), ("{}", "known kind")],
)
def test_what_is_no_keystore_is_told(tmp_path: Path, text: str | None, why: str) -> None:
    path = tmp_path / "wallet.json"
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    code, out, said = unlocked(path, PASSPHRASE)
    assert (code, out) == (3, "")
    assert why in said
    assert len(said.splitlines()) == 1


def test_it_writes_to_no_file_and_reads_none_that_others_may_read(
    keystore: Path, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("wb") as file:
        code, _, said = unlocked(keystore, PASSPHRASE, file.fileno())
    assert (code, (tmp_path / "out").read_bytes()) == (3, b"")
    assert "no pipe" in said
    open_to_all = tmp_path / "wallet.json"
    open_to_all.write_text(keystore.read_text())
    open_to_all.chmod(0o644)
    assert "chmod 600" in unlocked(open_to_all, PASSPHRASE)[2]
