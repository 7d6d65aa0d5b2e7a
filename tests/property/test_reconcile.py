"""Reconciling from any state: the same answer twice, one step a market, and in the end no step."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.api import LeaseView, MarketView
from fleet.supervisor.attempts import Attempts
from fleet.supervisor.reconcile import (
    Conditions,
    Desired,
    Drain,
    Fail,
    Observed,
    PutSettings,
    Remove,
    SetLeverage,
    Start,
    Step,
    Stop,
    reconcile,
)
from tests.unit.fleet.views import NOW_MS, quoting, settings, view

MARKETS = ["BTC", "ETH", "hyna:BTC", "xyz:NVDA"]
ROUND_MS = 500
ROUNDS_MAX = 150


@st.composite
def desires(draw: st.DrawFn, market: str) -> Desired:
    wanted = draw(st.booleans())
    margin_usd = draw(st.sampled_from([1_000.0, 2_000.0]))
    leverage = draw(st.sampled_from([3, 5]))
    chosen = settings(market, margin_usd=margin_usd, leverage=leverage)
    return Desired(chosen if wanted else None, draw(st.integers(1, 3)))


@st.composite
def sights(draw: st.DrawFn, market: str) -> Observed:
    process = draw(st.booleans())
    held = draw(st.booleans())
    seen: MarketView | None = None
    if draw(st.booleans()):
        make = quoting if held and process else view
        seen = make(
            market,
            draining=draw(st.booleans()),
            open_orders=draw(st.integers(0, 2)),
            revision=draw(st.integers(1, 3)),
            settings=settings(market, leverage=draw(st.sampled_from([3, 5]))),
        )
    retries = draw(st.integers(0, 4))
    ended_ms = draw(st.none() | st.just(NOW_MS - 100))
    attempts = Attempts(started_ms=NOW_MS - 1_000, ended_ms=ended_ms, retries=retries)
    return Observed(seen, process, attempts, draw(st.none() | st.integers(1, 3)))


@st.composite
def situations(draw: st.DrawFn) -> tuple[dict[str, Desired], dict[str, Observed]]:
    desired = {m: draw(desires(m)) for m in MARKETS if draw(st.booleans())}
    observed = {m: draw(sights(m)) for m in MARKETS if m in desired or draw(st.booleans())}
    return desired, observed


def carried_out(step: Step, have: Observed, now_ms: int) -> Observed:
    """The world after a step that works, an agent taking its lease at once."""
    seen = have.view
    match step:
        case PutSettings(market=market, revision=revision, settings=wanted):
            make = quoting if have.process else view
            return Observed(
                make(market, settings=wanted, revision=revision),
                have.process,
                have.attempts,
                have.leverage_revision,
            )
        case SetLeverage(revision=revision):
            return Observed(seen, have.process, have.attempts, revision)
        case Start(market=market):
            assert seen is not None
            fresh = quoting(market, settings=seen.settings, revision=seen.revision)
            return Observed(fresh, True, have.attempts.started(now_ms), have.leverage_revision)
        case Stop(market=market):
            left = None if seen is None else view(
                market, settings=seen.settings, revision=seen.revision, draining=seen.draining
            )  # fmt: skip
            return Observed(left, False, have.attempts.stopped(now_ms), have.leverage_revision)
        case Drain(market=market):
            assert seen is not None
            drained = view(
                market, settings=seen.settings, revision=seen.revision, draining=True,
                lease=LeaseView(owner="none"),
            )  # fmt: skip
            return Observed(drained, False, have.attempts, have.leverage_revision)
        case Remove():
            return Observed(None, False, have.attempts, have.leverage_revision)
        case Fail():
            raise AssertionError("no agent ended here")


@given(situations())
def test_a_round_may_be_repeated(
    situation: tuple[dict[str, Desired], dict[str, Observed]],
) -> None:
    desired, observed = situation
    first = list(reconcile(desired, observed, Conditions(), NOW_MS))
    assert first == list(reconcile(desired, observed, Conditions(), NOW_MS))
    markets = [step.market for step in first]
    assert markets == sorted(set(markets))


@given(situations())
def test_any_state_comes_to_rest_as_desired(
    situation: tuple[dict[str, Desired], dict[str, Observed]],
) -> None:
    desired, observed = situation
    now_ms = NOW_MS
    for _ in range(ROUNDS_MAX):
        steps = list(reconcile(desired, observed, Conditions(), now_ms))
        for step in steps:
            have = observed.get(step.market, Observed(None, process=False))
            observed[step.market] = carried_out(step, have, now_ms)
        for market, have in observed.items():  # what rests is cancelled; drained agents leave
            if have.view is not None and not have.process and have.view.open_orders:
                cleared = view(market, settings=have.view.settings, revision=have.view.revision,
                               draining=have.view.draining)  # fmt: skip
                observed[market] = Observed(cleared, False, have.attempts, have.leverage_revision)
            elif have.process and have.view is not None and have.view.draining:
                observed[market] = carried_out(Drain(market), have, now_ms)
        now_ms += ROUND_MS
    assert list(reconcile(desired, observed, Conditions(), now_ms)) == []
    for market, want in desired.items():
        have = observed.get(market, Observed(None, process=False))
        if want.settings is None:
            assert have.view is None
            assert not have.process
        else:
            assert have.process
            assert have.view is not None
            assert (have.view.settings, have.view.revision) == (want.settings, want.revision)
