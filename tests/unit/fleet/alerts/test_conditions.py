"""What is wrong, read off the state: each condition stands where it should and nowhere else."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.commands import Report
from fleet.alerts.conditions import Books, Condition, Seen, conditions
from fleet.gateway.api import CareView, GatewayStatus, LatchView, RiskView
from tests.unit.fleet.views import NOW_MS, quoting, status, view

ALL_UP = {"ray": True, "supervisor": True}
RISK = RiskView(seq=1, as_of_ms=NOW_MS, age_ms=500, state="normal", reason="")


def healthy(**changed: Any) -> GatewayStatus:
    made = status(quoting("BTC"), quoting("hyna:BTC"))
    return msgspec.structs.replace(made, **{"risk": RISK, **changed})


def seen(gateway: GatewayStatus | None, **changed: Any) -> Seen:
    return Seen(gateway=gateway, desired=True, processes=ALL_UP, **changed)


def keys(found: Seen) -> list[str]:
    return [f"{c.severity} {c.key}" for c in conditions(found)]


def test_a_healthy_fleet_has_no_condition() -> None:
    assert keys(seen(healthy())) == []


def risk(**changed: Any) -> RiskView:
    return msgspec.structs.replace(RISK, **changed)


CARE = CareView("reduce", "orphan", 1, 1, "reduces", busy=True)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (seen(None), "critical gateway:"),
        (seen(healthy(halt=LatchView("test", "ann", 1))), "critical halt:"),
        (seen(healthy(link="down")), "critical link:"),
        (seen(healthy(unwritable="the log can't be written")), "critical files:"),
        (seen(healthy(second_controller="instance 1")), "critical second_controller:"),
        (seen(healthy(risk=risk(state="reduce_only", reason="3 of 4 are stale"))),
         "warning risk:"),
        (seen(healthy(risk=risk(state="halt", reason="loss"))), "critical risk:"),
        (seen(healthy(cautions={"clock": "it is 9 s off"})), "critical clock:"),
        (seen(healthy(risk=risk(age_ms=11_000))), "warning risk_silent:"),
        (seen(healthy(risk=risk(age_ms=31_000))), "critical risk_silent:"),
        (seen(healthy(), failed={"BTC": "killed 6 times"}), "critical failed:BTC"),
        (seen(healthy(), asleep={"BTC": "asleep: -2 bps"}), "warning asleep:BTC"),
        (seen(healthy(), guard="it has no key"), "critical guard:"),
        (Seen(healthy(), desired=True, processes={"ray": False, "supervisor": True}),
         "critical process:ray"),
        (seen(healthy(), books=Books(drifts={"": "main DEX: +3 USDC"})),
         "critical cash:main DEX"),
        (seen(healthy(), books=Books(losing={"BTC": "BTC loses"})), "warning edge:BTC"),
        (seen(healthy(), books=Books(undecodable=2)), "warning undecodable:"),
    ],
)  # fmt: skip
def test_each_trouble_is_one_condition(found: Seen, expected: str) -> None:
    assert keys(found) == [expected]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"drift": "our fills add up to 1, the venue holds 2"}, "critical drift:BTC"),
        ({"fenced": True, "fence_reason": "agent: loss"}, "critical fenced:BTC"),
        ({"care": CARE, "position_sz": Decimal(1)}, "warning orphan:BTC"),
        ({"report": Report(phase="HALTED", reason="loss")}, "critical stopped:BTC"),
        ({"report": Report(phase="REDUCING", reason="stale")}, "warning reduce_only:BTC"),
    ],
)
def test_each_trouble_of_a_market(changed: dict[str, Any], expected: str) -> None:
    found = msgspec.structs.replace(status(quoting("BTC", **changed)), risk=RISK)
    assert keys(seen(found)) == [expected]


def test_a_halt_speaks_for_all_its_markets() -> None:
    halted = quoting("BTC", fenced=True, report=Report(phase="HALTED"))
    found = msgspec.structs.replace(status(halted), halt=LatchView("test", "ann", 1), risk=RISK)
    assert keys(seen(found)) == ["critical halt:"]


def test_what_a_person_asked_for_is_no_alert() -> None:
    paused = quoting("BTC", paused=True, report=Report(phase="REDUCING"))
    draining = quoting("ETH", draining=True, report=Report(phase="REDUCING"))
    found = msgspec.structs.replace(status(paused, draining, view("SOL")), risk=RISK)
    assert keys(seen(found)) == []


def test_every_text_is_one_line_for_people() -> None:
    for condition in conditions(seen(None, failed={"BTC": "killed"})):
        assert isinstance(condition, Condition)
        assert "\n" not in condition.text
        assert len(condition.text) < 200
