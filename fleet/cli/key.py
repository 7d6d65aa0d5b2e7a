"""The signing key on its way to the guard: read, checked, held in memory, never shown."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Final

from fleet.cli.failure import ExitCode, Failure
from fleet.folder import Folder
from fleet.manifests.spec import Account, KeySource

_KEY: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def api_wallet(account: Account) -> str:
    """64 hex digits from the manifest's source; exit 3 where it is missing, odd or a master key.

    A variable is taken out of our own environment, so that no child inherits it.
    """
    return _taken("api_wallet", account.api_wallet, account.address)


def halt_wallet(account: Account) -> str | None:
    """Likewise the key of ``halt --direct``, where it has one of its own."""
    if account.halt_wallet is None:
        return None
    return _taken("halt_wallet", account.halt_wallet, account.address)


def _taken(name: str, source: KeySource, address: str) -> str:
    try:
        return _found(source, address)
    except Failure as failure:
        raise Failure(failure.exit_code, f"{name}: {failure}") from None


def _found(source: KeySource, address: str) -> str:
    if source.keystore is not None:
        where = source.keystore
        found = _unlock(Path(where).expanduser(), str(source.passphrase_env))
    elif source.env is not None:
        where = f"environment variable {source.env}"
        found = os.environ.pop(source.env, "")
        if not found:
            mend = f"export {source.env} with the API wallet's private key, then apply again"
            raise Failure(ExitCode.INVALID, f"{where} is not set", mend)
    else:
        path = Path(str(source.file)).expanduser()
        where, found = str(path), _read(path)
    found = found.strip()
    if not _KEY.fullmatch(found):
        text = f"{where} holds no private key"
        raise Failure(ExitCode.INVALID, text, "it is 64 hex digits, 0x before them or not")
    key = found.removeprefix("0x").lower()
    if _address(bytes.fromhex(key), where) == address:
        text = f"{where} holds the account's own (master) key"
        mend = "make an API wallet on the venue's API page and use its key: it cannot withdraw"
        raise Failure(ExitCode.INVALID, text, mend)
    return key


def _unlock(path: Path, passphrase_env: str) -> str:
    """The key inside a keystore, opened by a program of its own; the passphrase goes by a pipe."""
    from fleet.processes import clean_environment, python

    passphrase = os.environ.pop(passphrase_env, "")
    if not passphrase:
        text = f"environment variable {passphrase_env} is not set"
        raise Failure(ExitCode.INVALID, text, "export the keystore's passphrase in it")
    done = subprocess.run(  # noqa: S603 - our own module
        python("fleet.gateway.unlock", "--keystore", str(path)),
        input=passphrase + "\n",
        env=clean_environment(os.environ, passphrase),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        mend = "name the API wallet's keystore and the variable that holds its passphrase"
        raise Failure(ExitCode.INVALID, f"{said}", mend)
    return done.stdout


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            text = f"{path} may be read by others"
            raise Failure(ExitCode.INVALID, text, f"chmod 600 {path}")
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        raise Failure(ExitCode.INVALID, text, "name the file that holds the key") from None


def _address(key: bytes, where: str) -> str:
    from agents.exchange.signing import address_of

    try:
        return address_of(key)
    except ValueError:
        text = f"{where} holds no private key"
        raise Failure(ExitCode.INVALID, text, "the number is outside the curve's range") from None


def paper_key(folder: Folder) -> tuple[str, str]:
    """(key, address) of the paper account; drawn at the first apply, the same ever after."""
    from agents.exchange.signing import address_of, draw_key

    path = folder.account_key
    if not path.exists():
        write_private(path, draw_key().hex())
    key = path.read_text(encoding="ascii").strip().removeprefix("0x")
    try:
        return key, address_of(bytes.fromhex(key))
    except ValueError:
        mend = f"restore it, or remove {folder.root} to begin with a fresh paper account"
        raise Failure(ExitCode.INVALID, f"{path} holds no private key", mend) from None


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
