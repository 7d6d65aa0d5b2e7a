"""Alerts as the gateway tells them: a log line, and a record that the ledger's process sends on."""

from collections.abc import Callable

import msgspec
import structlog

from fleet.gateway.core.effects import Alert
from fleet.gateway.records import Alerted, Body

_log = structlog.get_logger()


class Alerts:
    """``tell`` never waits and never fails: whoever alerts has something better to do."""

    def __init__(self, record: Callable[[Body], object]) -> None:
        """``record`` appends to the action log; where that is full, the state tells it too."""
        self._record = record

    def tell(self, alert: Alert) -> None:
        told = msgspec.structs.asdict(alert)
        about = told.pop("event")
        _log.warning("alert", about=about, **told)
        self._record(Alerted(alert.severity, alert.event, alert.text, alert.market))
