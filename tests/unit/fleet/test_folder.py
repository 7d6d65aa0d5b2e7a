"""A fleet's folder: names that cannot collide or escape, folders for one user alone."""

from pathlib import Path

import pytest

from fleet.folder import Folder, account_lock, home, slug


@pytest.mark.parametrize(
    ("market", "name"),
    [("BTC", "BTC"), ("hyna:BTC", "hyna%3ABTC"), ("../x", "%2E%2E%2Fx"), ("k~P.E", "k%7EP%2EE")],
)
def test_a_market_is_one_safe_file_name(market: str, name: str) -> None:
    assert slug(market) == name


def test_home_is_fleet_home_or_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("FLEET_HOME")
    assert home() == Path.home() / ".fleet"


def test_the_accounts_lock_lies_outside_fleet_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path))
    lock = account_lock("mainnet", "0xABCDEF")
    assert lock.name == "mainnet-0xabcdef"
    assert tmp_path not in lock.parents


def test_folders_are_made_for_this_user_alone_and_twice_is_harmless(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = Folder(tmp_path / "home" / "paper")
    folder.create()
    folder.create()
    for path in (folder.root, folder.run, folder.pids, folder.actions, folder.venue, folder.logs):
        assert path.stat().st_mode & 0o777 == 0o700
    assert (folder.root / "run").resolve() == folder.run.resolve()


def test_two_fleets_share_no_run_folder_and_sockets_fit_the_kernel(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-name"] * 6)
    one, other = Folder(deep / "paper"), Folder(deep / "paper2")
    assert one.run != other.run
    assert len(str(one.control_sock).encode()) <= 107
