"""All declarations by what they are of: what is collected, documented and tested, in its order."""

from typing import Final

from fleet.metrics import of_fleet, of_insight, of_market

MARKET: Final = (*of_market.GAUGES, *of_insight.GAUGES)
MARKET_BY: Final = (*of_market.LABELLED, *of_insight.LABELLED)
FLEET: Final = of_fleet.GAUGES
FLEET_BY: Final = of_fleet.LABELLED
DURATIONS: Final = of_fleet.DURATIONS
