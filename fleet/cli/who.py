"""``fleet who CLOID``: which fleet, market and generation sent an order, and as its how-manieth."""

import msgspec

from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import identity
from fleet.folder import Folder, home
from fleet.gateway.core.cloids import Origin, instance_digits, parse
from fleet.gateway.core.lease import Durable


def run(cloid: str, output: Output) -> None:
    """Exit 3 for what no fleet of ours can have sent."""
    origin = parse(cloid.strip().lower())
    if origin is None:
        mend = "a cloid of Fleet's has 32 hex digits behind 0x, the first of them f1ee"
        raise Failure(ExitCode.INVALID, f"{cloid}: no fleet sent this order", mend)
    name, market = _here(origin)
    if output == "json":
        fields = msgspec.structs.asdict(origin)
        put_json({"cloid": cloid, "fleet": name, "market": market, **fields})
        return
    where = f"fleet {name}" if name else f"instance {origin.instance}, not of {home()}"
    told = market or f"market number {origin.market_number}"
    put(f"{where}: {told}, generation {origin.generation}, order {origin.sequence}")


def _here(origin: Origin) -> tuple[str | None, str | None]:
    """The fleet under FLEET_HOME with this instance, and its market of this number."""
    for path in sorted(home().glob("*/fleet.json")):
        folder = Folder(path.parent)
        known = identity(folder)
        if known is not None and instance_digits(known.instance) == origin.instance:
            return known.fleet, _market(folder, origin.market_number)
    return None, None


def _market(folder: Folder, number: int) -> str | None:
    try:
        raw = (folder.gateway / "leases.json").read_bytes()
    except FileNotFoundError:
        return None
    try:
        rows = msgspec.json.decode(raw, type=dict[str, Durable])
    except msgspec.MsgspecError as error:
        mend = "is it of another build?"
        text = f"{folder.gateway / 'leases.json'}: {error}"
        raise Failure(ExitCode.UNEXPECTED, text, mend) from None
    return next((market for market, row in rows.items() if row.number == number), None)
