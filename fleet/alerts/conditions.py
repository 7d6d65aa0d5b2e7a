"""What is wrong now, of all that can be seen of a fleet: level by level, each under a key.

A condition that ends is told too, so every one of them is read off the state, not off an event:
whoever was away when it began finds it all the same.
"""

from collections.abc import Iterator, Mapping

import msgspec

from fleet.alerts.settings import Severity
from fleet.gateway.api import GatewayStatus, MarketView

DIRECTIVE_AGE_MS = 10_000
DIRECTIVE_DEAD_MS = 30_000


class Condition(msgspec.Struct, frozen=True):
    """Named by ``event`` and ``market`` (empty: the fleet's); told after ``hold_ms``."""

    severity: Severity
    event: str
    text: str
    market: str = ""
    hold_ms: int = 0

    @property
    def key(self) -> str:
        return f"{self.event}:{self.market}"


class Books(msgspec.Struct, frozen=True):
    """What the ledger finds: drift by DEX, markets that lose, records it could not read."""

    drifts: dict[str, str] = {}
    losing: dict[str, str] = {}
    undecodable: int = 0


class Seen(msgspec.Struct, frozen=True):
    """Everything of one moment. ``gateway`` None: no answer. ``failed``: markets whose restart
    budget is spent, with the cause; ``asleep``: those that were put to sleep, with why.
    ``desired``: whether anything is to run. ``processes``: which of guard, Ray and supervisor
    live; ``guard``: what is wrong with it.
    """

    gateway: GatewayStatus | None
    books: Books = Books()
    failed: Mapping[str, str] = {}
    asleep: Mapping[str, str] = {}
    desired: bool = False
    processes: Mapping[str, bool] = {}
    guard: str = ""


def conditions(seen: Seen) -> Iterator[Condition]:
    """All that stands, the fleet's first."""
    if seen.gateway is None:
        text = "the gateway does not answer: nothing is quoted; its orders are cancelled once it is"
        yield Condition("critical", "gateway", text, hold_ms=5_000)
    else:
        yield from _fleet(seen.gateway, seen)
        for view in seen.gateway.markets:
            yield from _market(view, halted=seen.gateway.halt is not None)
    for market, cause in seen.failed.items():
        text = f"{market} FAILED and is not started again: {cause}; fleet restart {market}"
        yield Condition("critical", "failed", text, market)
    for market, why in seen.asleep.items():
        yield Condition("warning", "asleep", f"{market} is {why}", market)
    yield from _house(seen)


def _fleet(status: GatewayStatus, seen: Seen) -> Iterator[Condition]:
    if status.halt is not None:
        text = f"halted by {status.halt.by}: {status.halt.reason}"
        yield Condition("critical", "halt", text)
    if status.link != "up":
        text = "no connection to the venue: nothing is quoted"
        yield Condition("critical", "link", text, hold_ms=5_000)
    if status.unwritable is not None:
        yield Condition("critical", "files", f"{status.unwritable}: no new risk; free some disk")
    if status.second_controller is not None:
        text = f"another controller trades this account: {status.second_controller}"
        yield Condition("critical", "second_controller", text)
    for cause, text in status.cautions.items():
        yield Condition("critical", cause, f"the whole fleet only reduces: {text}")
    yield from _risk(status, seen)


def _risk(status: GatewayStatus, seen: Seen) -> Iterator[Condition]:
    risk = status.risk
    if risk is None or status.halt is not None or not seen.desired:
        return
    if risk.age_ms > DIRECTIVE_AGE_MS:
        dead = risk.age_ms > DIRECTIVE_DEAD_MS
        text = f"the risk actor is silent for {risk.age_ms // 1000} s: no new risk"
        yield Condition("critical" if dead else "warning", "risk_silent", text, hold_ms=2_000)
    elif risk.state != "normal":
        severe: Severity = "critical" if risk.state == "halt" else "warning"
        text = f"risk: {risk.state.replace('_', '-')}: {risk.reason}"
        yield Condition(severe, "risk", text, hold_ms=5_000)


def _market(view: MarketView, *, halted: bool) -> Iterator[Condition]:
    market, report = view.market, view.report
    if view.drift is not None:
        yield Condition("critical", "drift", f"{market}: {view.drift}", market)
    if halted:
        return
    if view.fenced:
        text = f"{market} is fenced: {view.fence_reason}; fleet unpause {market} opens it"
        yield Condition("critical", "fenced", text, market)
    if view.care is not None and view.care.cause == "orphan":
        text = f"{market} holds {view.position_sz:f} without an agent; the caretaker: "
        yield Condition("warning", "orphan", text + view.care.text, market, hold_ms=10_000)
    if report is None or view.lease.owner != "agent" or view.draining or view.paused:
        return
    if report.phase == "HALTED":
        text = f"{market} HALTED itself: {report.reason or 'no reason given'}"
        yield Condition("critical", "stopped", text, market, hold_ms=2_000)
    elif report.phase == "REDUCING":
        text = f"{market} only reduces: {report.reason or 'no reason given'}"
        yield Condition("warning", "reduce_only", text, market, hold_ms=15_000)


def _house(seen: Seen) -> Iterator[Condition]:
    for process, lives in seen.processes.items():
        if not lives and seen.desired:
            text = f"{process} is gone; fleet apply MANIFEST brings it back"
            yield Condition("critical", "process", text, process, hold_ms=20_000)
    if seen.guard:
        yield Condition("critical", "guard", f"guard: {seen.guard}", hold_ms=5_000)
    for dex, text in seen.books.drifts.items():
        yield Condition("critical", "cash", text, dex or "main DEX")
    for market, text in seen.books.losing.items():
        yield Condition("warning", "edge", text, market)
    if seen.books.undecodable:
        text = f"{seen.books.undecodable} records of the action log were passed over; keep the log"
        yield Condition("warning", "undecodable", text)
