"""The manifest's limits of the whole fleet as the gateway's door keeps them."""

from fleet.gateway.api import Caps
from fleet.manifests.spec import FleetSpec


def caps_of(spec: FleetSpec) -> Caps:
    """The linear ones; what is not linear is the risk actor's."""
    return Caps(
        gross_max_usd=spec.risk.gross_notional_max_usd,
        net_max_usd=spec.risk.net_notional_max_usd,
        underlying_gross_max_usd=spec.risk.underlying_gross_max_usd,
        dex_margin_max_usd={
            name: dex.margin_max_usd
            for name, dex in spec.dexes.items()
            if dex.margin_max_usd is not None
        },
    )
