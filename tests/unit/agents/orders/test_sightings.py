"""An orphan is listed twice, by lists that cannot be older than what we know."""

from decimal import Decimal

from agents.events import LiveOrder
from agents.market.types import Cloid, Oid, Side
from agents.market.units import s_to_ns
from agents.orders.sightings import LAG_NS, Sightings

CLOID = Cloid("0x" + "c" * 32)
ROW = LiveOrder(Oid(1), CLOID, Side.ASK, Decimal(1), Decimal(1), Decimal(1), 0)
S = s_to_ns(1.0)


def _listed(seen: Sightings, at_ns: int, *, ended_ns: int | None = None, acked_ns: int = 0) -> bool:
    return seen.listed(
        ROW, ended_ns=ended_ns, acked_ns=acked_ns, requested_ns=at_ns, now_ns=at_ns + 1
    )


def test_incident_5_once_is_no_orphan_twice_is() -> None:
    seen = Sightings()
    assert not _listed(seen, S)
    assert seen
    assert _listed(seen, 2 * S)
    seen.forget(CLOID)
    assert not seen


def test_incident_5_a_list_that_lacks_it_begins_anew() -> None:
    seen = Sightings()
    assert not _listed(seen, S)
    seen.keep_only(set())
    assert not _listed(seen, 2 * S)
    seen.keep_only({CLOID})
    assert _listed(seen, 3 * S)


def test_incident_7_a_list_older_than_the_last_ack_or_the_order_s_end_does_not_count() -> None:
    seen = Sightings()
    assert not _listed(seen, 2 * S, acked_ns=2 * S)
    assert not _listed(seen, 2 * S + LAG_NS, ended_ns=2 * S)
    assert not seen
