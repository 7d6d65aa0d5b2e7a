"""Somebody without a name has a number, and may do all the same."""

import os
import pwd

import pytest

from fleet.cli.whoami import me


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert me() == pwd.getpwuid(os.getuid()).pw_name

    def unknown(uid: int) -> object:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert me() == f"uid {os.getuid()}"
