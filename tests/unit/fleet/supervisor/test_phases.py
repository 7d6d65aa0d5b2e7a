"""The phase that a market shows."""

from agents.commands import Report
from fleet.gateway.api import MarketView
from fleet.supervisor.phases import Phase, Standing, standing
from tests.unit.fleet.views import quoting, view


def stands(
    seen: MarketView | None,
    *,
    desired: bool = True,
    failed: str | None = None,
    halted: bool = False,
) -> Standing:
    return standing(desired=desired, failed=failed, view=seen, halted=halted, cause="it died")


def test_an_agent_that_holds_the_lease_speaks_for_itself() -> None:
    report = Report(phase="REDUCING", reason="limit")
    assert stands(quoting("BTC", report=report)) == Standing(Phase.REDUCING, "limit")
    assert stands(quoting("BTC"), halted=True) == Standing(Phase.QUOTING, None)


def test_without_agent_the_reason_is_how_the_last_one_ended() -> None:
    stale = view("BTC", report=Report(phase="QUOTING"))
    assert stands(stale) == Standing(Phase.BOOT, "it died")
    assert stands(None, halted=True) == Standing(Phase.HALTED, "it died")


def test_what_leaves_drains_until_the_gateway_forgot_it() -> None:
    assert stands(quoting("BTC"), desired=False).phase is Phase.DRAINING
    assert stands(None, desired=False).phase is Phase.STOPPED


def test_a_failure_outlasts_everything_but_a_new_apply() -> None:
    assert stands(quoting("BTC"), failed="boom") == Standing(Phase.FAILED, "boom")


def test_a_phase_unknown_here_is_shown_as_such() -> None:
    odd = stands(quoting("BTC", report=Report(phase="DANCING")))
    assert odd.phase is Phase.BOOT
    assert "DANCING" in (odd.reason or "")
