"""``fleet doctor``: is all that a fleet needs there and well; each finding with its mend.

Looks and changes nothing. Without a fleet it looks at the machine alone.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from fleet.cli import checkup
from fleet.cli.checkup import Finding
from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find, identity
from fleet.folder import Folder, home

_MARKS: Final = {"ok": "ok  ", "warning": "look", "bad": "BAD "}


def run(output: Output, fleet: str | None) -> None:
    folder = _folder(fleet)
    findings = list(_findings(folder))
    bad = sum(found.grade == "bad" for found in findings)
    if output == "json":
        rows = [msgspec.structs.asdict(found) for found in findings]
        put_json({"fleet": folder.root.name if folder else None, "bad": bad, "findings": rows})
    else:
        for found in findings:
            mend = f"; {found.mend}" if found.mend and found.grade != "ok" else ""
            put(f"{_MARKS[found.grade]}  {found.about:<14} {found.text}{mend}")
    if bad:
        raise Failure(ExitCode.UNEXPECTED, f"{bad} of {len(findings)} are bad", "mend them above")


def _folder(fleet: str | None) -> Folder | None:
    """The fleet meant; None on a machine that has none yet, which is fine."""
    if fleet is None and not any(home().glob("*/fleet.json")):
        return None
    return find(fleet)


def _findings(folder: Folder | None) -> Iterator[Finding]:
    machine: tuple[Callable[[], Iterator[Finding]], ...] = (
        checkup.python, checkup.packages, checkup.memory, checkup.descriptors, checkup.home_folder,
    )  # fmt: skip
    for look in machine:
        yield from look()
    if folder is None:
        text = f"none in {home()} yet"
        yield Finding("fleet", "ok", text)
        return
    known = identity(folder)
    yield from checkup.permissions(folder)
    yield from checkup.key(folder, known)
    yield from checkup.halt_key(folder)
    yield from checkup.clock(folder, known)
    yield from checkup.processes_of(folder)
    yield from checkup.limits(folder)
    yield from checkup.books(folder)
    yield from checkup.stale(folder)
