"""``fleet status`` as the contract's JSON, from what was observed; decides nothing, asks nobody.

pnl.total_usd = realized_usd + unrealized_usd - fees_usd + funding_usd, of the printed figures
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from agents.commands import Report
from fleet.cli.observe import Observed, StoreRow
from fleet.cli.rollout_view import rollout_json
from fleet.gateway.api import CareView, DexView, GatewayStatus, LatchView, MarketView
from fleet.ledger.cash import Cash
from fleet.ledger.query import MarketPnl, day_usd, is_reconciled, unrealized_usd
from fleet.risk.baseline import drawdown_share
from fleet.supervisor.phases import care_text

ACCOUNT_AGE_MAX_MS: Final = 15_000
REPORT_AGE_MAX_MS: Final = 5_000
_CENT: Final = Decimal("0.000001")
_SETTLED: Final = frozenset({"PREFLIGHT", "STOPPED", "FAILED", "DRAINING", "PAUSED", "HALTED"})
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


def status_json(seen: Observed, market: str | None = None) -> dict[str, Any]:
    """The whole document; ``market`` keeps one row."""
    gateway = seen.gateway
    views = {view.market: view for view in gateway.markets} if gateway else {}
    stored = seen.store.markets
    desired = {name for name, row in stored.items() if row.desired}
    names = sorted(views.keys() | desired | (stored.keys() & seen.pnl.keys()), key=_by_dex)
    rows = [
        _market(seen, name, views.get(name), stored.get(name))
        for name in names
        if market in {None, name}
    ]
    identity = seen.identity
    return {
        "fleet": seen.fleet,
        "network": gateway.network if gateway else identity.network if identity else None,
        "url": gateway.url if gateway else None,
        "address": gateway.address if gateway else identity.address if identity else None,
        "revision": seen.store.revision,
        "halted": seen.latch is not None,
        "halt": halt_json(seen.latch),
        "as_of_ms": seen.now_ms,
        "supervisor": "down" if seen.supervisor_down else "up",
        "supervisor_reason": seen.supervisor_down,
        "gateway": "up" if gateway else "down",
        "ledger": "up" if seen.ledger_up else "down",
        "link": gateway.link if gateway else "down",
        "flow": seen.flow,
        "risk": _risk(gateway),
        "account": _account(seen, gateway, rows),
        "markets": rows,
        "rollout": rollout_json(
            seen.rollout,
            {name: (row.revision, row.phase) for name, row in stored.items()},
            seen.now_ms + round(gateway.venue_offset_ms if gateway else 0.0),
        ),
        "loops": [
            {"process": process, **msgspec.to_builtins(view)}
            for process, view in sorted(seen.loops.items())
        ],
        "warnings": [
            *seen.warnings,
            *_alarms(gateway),
            *(f"ledger: {row.text}" for row in seen.cash.values() if not row.balanced),
        ],
    }


def _alarms(gateway: GatewayStatus | None) -> list[str]:
    """What the gateway wants a person to know at once."""
    if gateway is None:
        return []
    told = []
    if gateway.second_controller is not None:
        who = gateway.second_controller
        told.append(f"another controller trades this account ({who}): nothing that adds risk")
    if gateway.unwritable is not None:
        told.append(f"nothing that adds risk: {gateway.unwritable}; free some disk")
    told += [f"{cause}: {why}: the fleet only reduces" for cause, why in gateway.cautions.items()]
    told += [f"{view.market}: {view.drift}" for view in gateway.markets if view.drift is not None]
    told += [f"{view.market}: {view.stale}" for view in gateway.markets if view.stale is not None]
    return told


def _by_dex(market: str) -> tuple[str, str]:
    dex, _, asset = market.rpartition(":")
    return dex, asset


def halt_json(latch: LatchView | None) -> dict[str, Any] | None:
    if latch is None:
        return None
    at = datetime.fromtimestamp(latch.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {"reason": latch.reason, "by": latch.by, "at": at, "at_ms": latch.at_ms}


def _risk(gateway: GatewayStatus | None) -> dict[str, Any]:
    risk = gateway.risk if gateway else None
    if risk is None:
        return {"state": "none", "reason": None, "directive_age_ms": None, "seq": None}
    return {
        "state": risk.state,
        "reason": risk.reason or None,
        "directive_age_ms": risk.age_ms,
        "seq": risk.seq,
    }


def _account(
    seen: Observed, gateway: GatewayStatus | None, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    dexes = gateway.dexes if gateway else ()
    as_of_ms = min((dex.as_of_ms for dex in dexes), default=None)
    positions = [row["position_usd"] for row in rows]
    known = None not in positions
    equity_usd = _equity_usd(dexes)
    return {
        "as_of_ms": as_of_ms,
        "stale": as_of_ms is None or seen.now_ms - as_of_ms > ACCOUNT_AGE_MAX_MS,
        "equity_usd": equity_usd,
        "gross_notional_usd": _usd(sum(map(abs, positions))) if known else None,
        "net_notional_usd": _usd(sum(positions)) if known else None,
        "pnl_day_usd": _sum(row["pnl_day_usd"] for row in rows),
        "drawdown_share": _drawdown_share(seen, equity_usd),
        "allowance": _allowance(gateway),
        "ip_weight_used_share": gateway.ip_weight_used_share if gateway else None,
        "dead_man": gateway.dead_man.state if gateway else "off",
        "dead_man_reason": gateway.dead_man.reason or None if gateway else None,
        "venue_strain": list(gateway.strain) if gateway else [],
        "foreign_orders": gateway.foreign_orders if gateway else None,
        "unresolved_orders": gateway.unresolved if gateway else None,
        "caps": msgspec.to_builtins(gateway.caps) if gateway else None,
        "caps_use": msgspec.to_builtins(gateway.caps_use) if gateway else None,
        "refusals": gateway.refusals if gateway else None,
        "key": msgspec.to_builtins(gateway.key) if gateway else None,
        "dexes": [
            {
                "dex": dex.dex,
                "token": dex.token,
                "balance": float(dex.account_value),
                "margin_used": float(dex.margin_used),
                "token_mark_usd": dex.token_mark_usd,
                "unexplained": _unexplained(seen.cash.get(dex.dex)),
            }
            for dex in dexes
        ],
    }


def _allowance(gateway: GatewayStatus | None) -> dict[str, Any]:
    """The account's actions left, and what scarcity makes of the fleet."""
    if gateway is None:
        return {"left": None, "burn_per_h": None, "hours_to_empty": None}
    held = gateway.allowance
    return {
        "left": held.left,
        "burn_per_h": held.burn_per_h,
        "hours_to_empty": held.hours_to_empty,
        "state": held.mood,
        "reserve": held.reserve,
        "request_usd": held.request_usd,
        "pace_s": held.pace_s,
        "levels_share": held.levels_share,
        "bought_usd": held.bought_usd,
    }


def _unexplained(row: Cash | None) -> float | None:
    """What no fill, fee, funding or transfer explains of a DEX's balance, in its token."""
    return None if row is None else float(row.drift)


def _drawdown_share(seen: Observed, equity_usd: float | None) -> float | None:
    """Of the highest equity net of transfers the share that is lost: by the ledger, which keeps
    it; until it has, by the risk actor.
    """
    if seen.drawdown is not None:
        return round(seen.drawdown.share, 6)
    if seen.baseline is None or equity_usd is None:
        return None
    return round(drawdown_share(seen.baseline, equity_usd), 6)


def _equity_usd(dexes: tuple[DexView, ...]) -> float | None:
    """The sum at the tokens' marks; not known while a token that is held has no mark."""
    held = [dex for dex in dexes if dex.account_value]
    if not dexes or any(dex.token_mark_usd is None for dex in held):
        return None
    return _usd(sum(float(dex.account_value) * (dex.token_mark_usd or 0.0) for dex in held))


def _market(
    seen: Observed, name: str, view: MarketView | None, row: StoreRow | None
) -> dict[str, Any]:
    dex, _, asset = name.rpartition(":")
    pnl = seen.pnl.get(name)
    report = view.report if view and view.lease.owner == "agent" else None
    mark_px = view.mark_px if view else None
    position_sz = view.position_sz if view else pnl.position_sz if pnl else _ZERO
    entry_px = view.entry_px if view else pnl.entry_px if pnl else None
    token_usd = _token_usd(seen.gateway, dex)
    phase, reason = _phase(seen, view, row)
    as_of_ms = _as_of_ms(view, pnl, row)
    due_s = report.quoting_due_s if report else 0.0
    known_usd = mark_px is not None or not position_sz
    return {
        "market": name,
        "asset": asset,
        "dex": dex,
        "sync": "synced" if _synced(view, row) else "out-of-sync",
        "owner": view.lease.owner if view else "none",
        "phase": phase,
        "reason": reason,
        "as_of_ms": as_of_ms,
        "stale": as_of_ms is None or seen.now_ms - as_of_ms > REPORT_AGE_MAX_MS,
        "position_sz": float(position_sz),
        "position_usd": _usd(float(position_sz) * (mark_px or 0.0)) if known_usd else None,
        "entry_px": float(entry_px) if entry_px is not None else None,
        "mark_px": mark_px,
        "pnl": _pnl(seen, pnl, mark_px, position_sz, token_usd),
        "pnl_day_usd": _money(_in_usd(day_usd(pnl, mark_px), token_usd)) if pnl else 0.0,
        "open_orders": view.open_orders if view else None,
        "orders": report.orders if report else None,
        "bid_px": float(report.bid_px) if report and report.bid_px is not None else None,
        "ask_px": float(report.ask_px) if report and report.ask_px is not None else None,
        "half_spread_bps": report.half_spread_bps if report else None,
        "fills": pnl.fills if pnl else 0,
        "taker_fills": pnl.taker_fills if pnl else 0,
        "volume_usd": _usd(float(pnl.volume_usd)) if pnl else 0.0,
        "quote_uptime_share": round(report.quoting_up_s / due_s, 4) if report and due_s else None,
        "data_age_ms": view.data_age_ms if view else None,
        "restarts": row.restarts if row else 0,
        "pid": view.lease.pid if view else None,
        "generation": view.lease.generation if view else None,
        "ramp_share": report.ramp_share if report else None,
        "monitor": _monitor(report),
        "drift": view.drift if view else None,
    }


def _monitor(report: Report | None) -> dict[str, Any] | None:
    """The worst that the market's monitors find; None while they find nothing."""
    worst = report.worst if report else None
    if worst is None:
        return None
    return {
        "mode": worst.mode,
        "monitor": worst.monitor,
        "reason": worst.reason,
        "evidence": worst.evidence,
    }


def _phase(seen: Observed, view: MarketView | None, row: StoreRow | None) -> tuple[str, str | None]:
    """The agent's own word where it holds the lease, else the supervisor's, else what follows."""
    stored = row.phase if row else "STOPPED"
    stored_reason = row.reason or None if row else None
    if view is None:
        old = None if seen.gateway or stored == "STOPPED" else "gateway down: as last stored"
        return stored, stored_reason or old
    if view.lease.owner == "agent" and view.report is not None:
        told = view.report.reason or view.fence_reason or None
        if view.report.phase == stored == "PAUSED":
            told = stored_reason or told  # why, where it was not a person
        return view.report.phase, told
    if seen.latch is not None:
        return "HALTED", seen.latch.reason
    if view.draining or stored in _SETTLED:
        left = (stored, stored_reason) if stored in _SETTLED else ("DRAINING", "no agent any more")
        return left[0], _with_care(left[1], view.care)
    if view.care is not None:
        return "REDUCING" if view.care.busy else "BOOT", _with_care("no agent", view.care)
    return "BOOT", stored_reason or _waiting(view)


def _waiting(view: MarketView) -> str:
    """Why no agent speaks for a market."""
    if view.lease.awaited:
        return "the gateway has restarted; its agent has 3 s to continue"
    return "no agent yet" if view.lease.owner == "none" else f"held by the {view.lease.owner}"


def _with_care(reason: str | None, care: CareView | None) -> str | None:
    """The reason, and what the caretaker does about the position."""
    if care is None:
        return reason
    cared = f"the caretaker {care_text(care)}"
    return f"{reason}; {cared}" if reason else cared


def _synced(view: MarketView | None, row: StoreRow | None) -> bool:
    """Whether an agent runs the very revision that is desired of the market."""
    if view is None or row is None or not row.desired or view.lease.owner != "agent":
        return False
    return row.revision == view.revision == view.lease.revision


def _as_of_ms(view: MarketView | None, pnl: MarketPnl | None, row: StoreRow | None) -> int | None:
    if view is not None:
        return view.report_ms or view.position_as_of_ms or None
    moments = [pnl.last_fill_ms if pnl else None, row.since_ms if row else None]
    return max((moment for moment in moments if moment), default=None)


def _token_usd(gateway: GatewayStatus | None, dex: str) -> Decimal:
    """What a DEX's collateral is worth; one that is not known counts as a dollar."""
    held = next((row for row in gateway.dexes if row.dex == dex), None) if gateway else None
    mark_usd = held.token_mark_usd if held else None
    return _ONE if mark_usd is None else Decimal(repr(mark_usd))


def _in_usd(value: Decimal | None, token_usd: Decimal) -> Decimal | None:
    return None if value is None else value * token_usd


def _pnl(
    seen: Observed,
    pnl: MarketPnl | None,
    mark_px: float | None,
    position_sz: Decimal,
    token_usd: Decimal,
) -> dict[str, Any]:
    if pnl is None:
        nothing = dict.fromkeys(
            ("total_usd", "realized_usd", "unrealized_usd", "fees_usd", "funding_usd"), 0.0
        )
        since_ms = seen.ledger_since_ms
        return {"since_ms": since_ms, **nothing, "reconciled": not position_sz}
    unrealized = _in_usd(unrealized_usd(pnl, mark_px), token_usd)
    realized, fees = _cents(pnl.realized_usd * token_usd), _cents(pnl.fees_usd * token_usd)
    funding = _cents(pnl.funding_usd * token_usd)
    total = None if unrealized is None else realized + _cents(unrealized) - fees + funding
    return {
        "since_ms": pnl.since_ms,
        "total_usd": _money(total),
        "realized_usd": float(realized),
        "unrealized_usd": _money(unrealized),
        "fees_usd": float(fees),
        "funding_usd": float(funding),
        "reconciled": is_reconciled(pnl, position_sz),
    }


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT)


def _money(value: Decimal | None) -> float | None:
    return None if value is None else float(_cents(value))


def _usd(value: float) -> float:
    return round(value, 6)


def _sum(values: Any) -> float | None:  # noqa: ANN401  # an iterable of float | None
    found = list(values)
    return None if None in found else _usd(sum(found))
