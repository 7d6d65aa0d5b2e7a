"""Whether a live network answers, and what it lists: asked once, before anything is started."""

from fleet.cli.failure import ExitCode, Failure
from fleet.cli.network import URLS, Offer, Unheard, Wire, offered
from fleet.manifests.checks import Listed
from fleet.manifests.spec import FleetSpec


def listing(spec: FleetSpec) -> dict[str, dict[str, Listed]]:
    """The network's DEXs and, of those that the manifest names, their assets; exit 7 if unheard."""
    wire = Wire(URLS[spec.network])
    try:
        return listed(offered(wire, {market.rpartition(":")[0] for market in spec.markets}))
    except Unheard as error:
        text = f"{spec.network} is out of reach: {error}"
        mend = "check this machine's network and try again; nothing was started"
        raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
    finally:
        wire.close()


def listed(offer: Offer) -> dict[str, dict[str, Listed]]:
    """The offer as the checks of sense read it."""
    found: dict[str, dict[str, Listed]] = {dex.name: {} for dex in offer.registry.dexes}
    for name, row in offer.registry.instruments.items():
        found[row.dex][name] = Listed(
            row.leverage_max, isolated_only=row.isolated_only, delisted=row.delisted
        )
    return found
