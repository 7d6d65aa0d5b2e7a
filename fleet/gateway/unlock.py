"""Opens an API wallet's keystore; its own program, so that only it loads the cryptography.

    python -m fleet.gateway.unlock --keystore PATH      the passphrase on stdin, one line

The key goes to stdout as hex, one line, which must be a pipe: never a terminal or a file.
Exit codes: 0 done, 3 the keystore or its passphrase is wrong (one line on stderr says which).
"""

import argparse
import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fleet.gateway.hardening import harden

EXIT_INVALID: Final = 3


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fleet.gateway.unlock", description=__doc__)
    parser.add_argument("--keystore", type=Path, required=True)
    options = parser.parse_args(argv)
    harden()
    try:
        if not stat.S_ISFIFO(os.fstat(1).st_mode):
            raise ValueError("stdout is no pipe: a key is not shown and not written to files")
        keystore = _read(options.keystore)
        key = _decrypt(keystore, sys.stdin.readline().rstrip("\n"), options.keystore)
    except ValueError as error:
        os.write(2, f"{error}\n".encode())
        return EXIT_INVALID
    os.write(1, key.hex().encode() + b"\n")
    return 0


def _read(path: Path) -> object:
    """ValueError says what is wrong with the file."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ValueError(f"{path} may be read by others; chmod 600 {path}")
        return json.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except json.JSONDecodeError:
        raise ValueError(f"{path} is no keystore: it is not JSON") from None


def _decrypt(keystore: object, passphrase: str, path: Path) -> bytes:
    from eth_account import Account

    try:
        return bytes(Account.decrypt(keystore, passphrase))
    except (ValueError, KeyError, TypeError) as error:
        wrong = isinstance(error, ValueError) and "MAC" in str(error)
        what = "the passphrase is wrong" if wrong else "it is no keystore of a known kind"
        raise ValueError(f"{path}: {what}") from None


if __name__ == "__main__":
    sys.exit(main())
