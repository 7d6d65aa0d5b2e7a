"""The signing key: taken from where the manifest says, refused where it is odd, never shown."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from eth_account import Account as EthAccount

from agents.exchange.signing import address_of
from fleet.cli.failure import Failure
from fleet.cli.key import api_wallet, halt_wallet, paper_key
from fleet.folder import Folder
from fleet.manifests.spec import Account, KeySource

KEY = "1f" * 32
ADDRESS = "0x" + "ab" * 20


def account(**source: str) -> Account:
    return Account(address=ADDRESS, api_wallet=KeySource(**source))


def refused(given: Account) -> str:
    with pytest.raises(Failure) as caught:
        api_wallet(given)
    assert caught.value.exit_code == 3
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("written", [KEY, "0x" + KEY, KEY.upper() + "\n"])
def test_key_of_the_environment_leaves_it(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_KEY", written)
    assert api_wallet(account(env="T_KEY")) == KEY
    assert "T_KEY" not in os.environ


def test_key_of_a_file_that_others_may_not_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"0x{KEY}\n")
    path.chmod(0o644)
    assert "may be read by others; chmod 600" in refused(account(file=str(path)))
    path.chmod(0o600)
    assert api_wallet(account(file=str(path))) == KEY


def test_missing_and_odd_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "environment variable T_NONE is not set; export" in refused(account(env="T_NONE"))
    monkeypatch.setenv("T_KEY", KEY[:-1])
    assert "holds no private key" in refused(account(env="T_KEY"))
    monkeypatch.setenv("T_KEY", "00" * 32)
    assert "outside the curve's range" in refused(account(env="T_KEY"))
    assert "cannot be read: No such file" in refused(account(file=str(tmp_path / "gone")))


def test_the_halt_wallet_is_taken_likewise_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = account(env="T_KEY")
    assert halt_wallet(given) is None
    given = msgspec.structs.replace(given, halt_wallet=KeySource(env="T_HALT"))
    with pytest.raises(Failure, match="halt_wallet: environment variable T_HALT is not set"):
        halt_wallet(given)
    monkeypatch.setenv("T_HALT", KEY)
    assert halt_wallet(given) == KEY
    assert "T_HALT" not in os.environ


def test_key_of_a_keystore_whose_passphrase_leaves_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wallet.json"
    keystore = EthAccount.encrypt(bytes.fromhex(KEY), "horse", kdf="pbkdf2", iterations=10)
    path.write_text(json.dumps(keystore))
    path.chmod(0o600)
    given = account(keystore=str(path), passphrase_env="T_PASS")
    assert "environment variable T_PASS is not set" in refused(given)
    monkeypatch.setenv("T_PASS", "cow")
    assert "the passphrase is wrong" in refused(given)
    monkeypatch.setenv("T_PASS", "horse")
    assert api_wallet(given) == KEY
    assert "T_PASS" not in os.environ


def test_a_master_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_KEY", KEY)
    owner = Account(address=address_of(bytes.fromhex(KEY)), api_wallet=KeySource(env="T_KEY"))
    assert "the account's own (master) key; make an API wallet" in refused(owner)


def test_paper_key_is_drawn_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "t")
    folder.account_key.parent.mkdir(parents=True)
    key, address = paper_key(folder)
    assert folder.account_key.stat().st_mode & 0o777 == 0o600
    assert address == address_of(bytes.fromhex(key))
    assert paper_key(folder) == (key, address)
    folder.account_key.write_text("spoilt")
    with pytest.raises(Failure, match="holds no private key"):
        paper_key(folder)
