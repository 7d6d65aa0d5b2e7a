"""Which fleet is meant: the one that is named, the only one, or the only one that runs."""

import msgspec

from fleet.cli.failure import ExitCode, Failure
from fleet.folder import Folder, home


class Identity(msgspec.Struct, frozen=True):
    """``fleet.json``: what a fleet is, written once at its first apply."""

    schema: str
    fleet: str
    network: str
    address: str
    instance: str
    created_ms: int


def identity(folder: Folder) -> Identity | None:
    """The fleet's identity; None where none was ever applied. A broken file is exit 1."""
    try:
        return msgspec.json.decode(folder.fleet_json.read_bytes(), type=Identity)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        mend = "restore it from a backup; it names the fleet's account"
        text = f"{folder.fleet_json} is broken: {error}"
        raise Failure(ExitCode.UNEXPECTED, text, mend) from None


def find(name: str | None) -> Folder:
    """The folder of the fleet that is meant; exit 3 with the choice where that is not clear."""
    known = sorted(path.parent.name for path in home().glob("*/fleet.json"))
    if name is not None:
        if name in known:
            return Folder.of(name)
        there = f"there are: {', '.join(known)}" if known else "apply a manifest first"
        raise Failure(ExitCode.INVALID, f"no fleet {name!r} in {home()}", there)
    if not known:
        mend = "start one: fleet apply manifests/paper.yaml"
        raise Failure(ExitCode.INVALID, f"no fleet in {home()}", mend)
    if len(known) == 1:
        return Folder.of(known[0])
    from fleet.processes import alive

    running = [each for each in known if alive(Folder.of(each), "guard") is not None]
    if len(running) == 1:
        return Folder.of(running[0])
    text = f"several fleets {'run' if running else 'are known'}: {', '.join(running or known)}"
    raise Failure(ExitCode.INVALID, text, "name one: --fleet NAME")
