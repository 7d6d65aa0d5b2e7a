"""``fleet halt --direct``: a child program that cancels and proves with no other process's help.

The key goes to it on stdin, found as ``apply`` finds it: the paper account's file, or the source
that the manifest in force names (``halt_wallet``, else ``api_wallet``).
"""

import os
import sqlite3
import subprocess

import msgspec

from fleet.cli.failure import ExitCode, Failure
from fleet.cli.key import api_wallet, halt_wallet
from fleet.cli.whoami import me
from fleet.folder import Folder
from fleet.gateway.api import HaltReport
from fleet.processes import clean_environment, python


def halt_direct(folder: Folder, reason: str, *, foreign: bool) -> HaltReport:
    """Its report, proven or not. Exit 3 without a key, 7 if the venue was never reached."""
    key, own = _key(folder)
    arguments = ["--folder", str(folder.root), "--reason", reason, "--by", me()]
    if own:
        arguments.append("--own-wallet")
    if foreign:
        arguments.append("--all")
    child = subprocess.run(  # noqa: S603 - our own module
        python("fleet.gateway.direct", *arguments),
        input=key + "\n", env=clean_environment(os.environ, key), stdout=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    try:
        return msgspec.json.decode((child.stdout.splitlines() or [""])[-1], type=HaltReport)
    except msgspec.MsgspecError:
        code = child.returncode if child.returncode > 0 else ExitCode.UNEXPECTED
        text = "the direct halt ended without a report"
        raise Failure(code, text, "what it says stands above; run it again") from None


def _key(folder: Folder) -> tuple[str, bool]:
    """The key, and whether it is another than the gateway's."""
    if folder.account_key.exists():
        return folder.account_key.read_text(encoding="ascii").strip().removeprefix("0x"), False
    from fleet.supervisor.store import read_spec

    try:
        held = read_spec(folder.store_db)
    except sqlite3.Error as error:
        text = f"{folder.store_db} cannot be read ({error}), and it names the key's source"
        raise Failure(ExitCode.INVALID, text, "cancel on the venue's own page") from None
    if held is None or held[1].account is None:
        text = f"no manifest is in force in {folder.root}, so the key's source is not known"
        raise Failure(ExitCode.INVALID, text, "cancel on the venue's own page")
    own = halt_wallet(held[1].account)
    return (own, True) if own is not None else (api_wallet(held[1].account), False)
