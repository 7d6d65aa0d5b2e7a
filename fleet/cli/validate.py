"""``fleet validate``: is this manifest well formed and sensible? Offline, touches nothing."""

from pathlib import Path

from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.manifests.checks import Listing
from fleet.manifests.errors import ManifestError
from fleet.manifests.load import load
from fleet.manifests.spec import FleetSpec, digest


def load_or_fail(path: Path, listing: Listing | None = None) -> FleetSpec:
    """The spec, or exit 3 with a line a problem."""
    try:
        return load(path, listing)
    except ManifestError as error:
        raise Failure(ExitCode.INVALID, str(error)) from None


def run(path: Path, output: Output) -> None:
    try:
        spec = load(path)
    except ManifestError as error:
        if output == "json":
            put_json({"valid": False, "problems": error.problems})
        raise Failure(ExitCode.INVALID, str(error)) from None
    markets = list(spec.markets)
    if output == "json":
        fields = {"fleet": spec.fleet, "network": spec.network, "markets": markets}
        put_json({"valid": True, **fields, "digest": digest(spec), "problems": []})
        return
    named = ", ".join(markets)
    put(f"{path}: valid: fleet {spec.fleet} on {spec.network}, {len(markets)} markets: {named}")
