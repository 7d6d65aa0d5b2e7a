"""``fleet status`` for eyes: the same document as its JSON, as a table.

green: as it should be; yellow: look at it, nothing is lost yet; red: it does not do its work.
"""

from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleet.cli.rollout_view import rollout_line
from fleet.cli.trails import Trails

WIDTH_PIPED: Final = 150
TRAIL_WIDTH: Final = 14
_PHASE_STYLES: Final = {
    "QUOTING": "green", "REDUCING": "yellow", "DRAINING": "yellow", "PAUSED": "yellow",
    "HALTED": "bold red", "FAILED": "bold red",
}  # fmt: skip
_COLUMNS: Final = (
    "market", "phase", "position", "value $", "mark", "half-spread", "orders", "fills",
    "volume $", "P&L $", "trail", "today $", "uptime", "data age",
)  # fmt: skip
_LEFT: Final = frozenset({"market", "phase", "trail"})
_DROPPED_FIRST: Final = (
    "data age", "volume $", "mark", "uptime", "today $", "orders", "half-spread", "value $",
    "trail", "fills",
)  # fmt: skip
_GAP: Final = 2
_AGE_WARN_MS: Final = 3_000
_AGE_BAD_MS: Final = 10_000
_UPTIME_WARN: Final = 0.9


def draw(document: dict[str, Any]) -> None:
    """Print the table, as wide as the terminal, or wide enough for a file."""
    console = console_for_table()
    console.print(render(document, console.width))


def console_for_table() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_PIPED)


def render(
    document: dict[str, Any], width: int, height: int | None = None, trails: Trails | None = None
) -> RenderableType:
    """The whole picture; columns that a narrow terminal has no room for are left out.

    ``height``: no more lines than that; of the markets those that need eyes stay. ``trails``: with
    what the last minutes looked like.
    """
    head, notes = _head(document, width, trails), [
        Text(text, style="yellow", no_wrap=height is not None, overflow="ellipsis")
        for text in _notes(document)
    ]  # fmt: skip
    shown, hidden = document["markets"], 0
    if height is not None:
        notes = notes[: max(1, height // 4)]
        room = max(3, height - len(head) - len(notes) - 3)
        if len(shown) > room:
            urgent = sorted(shown, key=_urgency)[: room - 1]
            kept = {row["market"] for row in urgent}
            hidden = len(shown) - len(kept)
            shown = [row for row in shown if row["market"] in kept]
    table = _table(shown, width, trails)
    more = [Text(f"… and {hidden} more that quote", style="dim")] if hidden else []
    return Group(*head, Text(), table, *more, *notes)


def _urgency(row: dict[str, Any]) -> tuple[int, float]:
    """What needs eyes first; then what holds most."""
    calm = row["phase"] == "QUOTING" and not row["stale"] and row["drift"] is None
    return int(calm), -abs(row["position_usd"] or 0.0)


def _table(rows: list[dict[str, Any]], width: int, trails: Trails | None) -> Table:
    cells = [dict(zip(_COLUMNS, _cells(row, trails), strict=True)) for row in rows]
    names = [name for name in _COLUMNS if name != "trail" or trails is not None]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    names = _fitting(cells, names, width)
    for name in names:
        table.add_column(name, justify="left" if name in _LEFT else "right", no_wrap=True)
    for row in cells:
        table.add_row(*(row[name] for name in names))
    return table


def _fitting(rows: list[dict[str, Text | str]], names: list[str], width: int) -> list[str]:
    """The columns that fit, in their order; the least needed go first."""
    wide = {name: max(len(name), *(len(row[name]) for row in rows), 0) for name in names}
    names = list(names)
    for name in _DROPPED_FIRST:
        if sum(wide[each] + _GAP for each in names) - _GAP <= width:
            break
        if name in names:
            names.remove(name)
    return names


def _head(document: dict[str, Any], width: int, trails: Trails | None) -> list[Text]:
    flow = f" ({document['flow']} market)" if document["flow"] else ""
    title = Text(f"{document['fleet']}", style="bold")
    title.append(f"  {document['network']}{flow}  revision {document['revision']}", style="")
    title.append(f"  {document['address']}  {document['url'] or ''}", style="dim")
    lines = [title, _processes(document)]
    if document["halted"]:
        halt = document["halt"]
        text = f"HALTED since {halt['at']} by {halt['by']}: {halt['reason']}"
        lines.append(Text(f"{text}; lift: fleet resume --reason TEXT", style="bold red"))
    account = document["account"]
    figures = (
        f"equity {_usd(account['equity_usd'])}  gross {_usd(account['gross_notional_usd'])}"
        f"  net {_usd(account['net_notional_usd'])}"
        f"  today {_usd(account['pnl_day_usd'], sign=True)}"
    )
    foreign = account["foreign_orders"]
    figures += f"  foreign orders {foreign}" if foreign else ""
    money = Text(figures)
    if account["stale"]:
        money.append("  (old)", style="yellow")
    if trails is not None:
        money.append(f"  {trails.equity(TRAIL_WIDTH)}", style="cyan")
    lines += [money, _margins(account)]
    if trails is not None:  # a screen that is drawn anew has no room for a second line
        for line in lines:
            line.truncate(width, overflow="ellipsis")
    return lines


def _margins(account: dict[str, Any]) -> Text:
    """How far from the ends of what is limited: drawdown, requests, weight, the dead-man switch."""
    lost, allowance = account["drawdown_share"], account["allowance"]
    line = Text("drawdown ", style="dim")
    line.append(
        "-" if lost is None else f"{lost:.2%}", style="yellow" if lost and lost > 0.02 else ""
    )
    line.append("  requests ", style="dim")
    left, hours = allowance["left"], allowance["hours_to_empty"]
    text = "-" if left is None else f"{left:,} left"
    text += "" if hours is None else f" ({hours:,.0f} h)"
    scarce = left is not None and (left < 1_000 or (hours is not None and hours < 24))
    line.append(text, style="red" if left is not None and left <= 0 else "yellow" if scarce else "")
    used = account["ip_weight_used_share"]
    line.append("  weight ", style="dim")
    line.append(
        "-" if used is None else f"{used:.0%}", style="yellow" if used and used > 0.7 else ""
    )
    line.append("  dead man ", style="dim")
    line.append(account["dead_man"])
    return line


def _processes(document: dict[str, Any]) -> Text:
    line = Text()
    for name in ("supervisor", "gateway", "ledger", "link"):
        state = document[name]
        line.append(f"{name} ", style="dim")
        line.append(f"{state}  ", style="green" if state == "up" else "bold red")
    risk = document["risk"]
    age = f" ({risk['directive_age_ms']} ms ago)" if risk["directive_age_ms"] is not None else ""
    line.append("risk ", style="dim")
    line.append(f"{risk['state']}{age}", style="green" if risk["state"] == "normal" else "bold red")
    return line


def _cells(row: dict[str, Any], trails: Trails | None) -> list[Text | str]:
    old = " *" if row["stale"] else ""
    half = row["half_spread_bps"]
    uptime = row["quote_uptime_share"]
    phase = Text(row["phase"] + old, style=_PHASE_STYLES.get(row["phase"], "cyan"))
    if row["owner"] != "agent":
        phase.append(f" ({row['owner']})", style="dim")
    return [
        row["market"],
        phase,
        f"{row['position_sz']:.10g}",
        _usd(row["position_usd"]),
        f"{row['mark_px']:.10g}" if row["mark_px"] is not None else "-",
        f"{half:.2f} bps" if half is not None else "-",
        _orders(row),
        str(row["fills"]) + (f" ({row['taker_fills']} taker)" if row["taker_fills"] else ""),
        f"{row['volume_usd']:,.0f}",
        _gain(row["pnl"]["total_usd"]),
        trails.pnl(row["market"], TRAIL_WIDTH) if trails is not None else "",
        _gain(row["pnl_day_usd"]),
        _uptime(uptime),
        _age(row["data_age_ms"]),
    ]


def _orders(row: dict[str, Any]) -> Text:
    """How many rest, by the venue; and how many nobody knows the fate of, by the agent."""
    if row["open_orders"] is None:
        return Text("-")
    text, unknown = Text(str(row["open_orders"])), (row["orders"] or {}).get("UNKNOWN", 0)
    if unknown:
        text.append(f" +{unknown}?", style="yellow")
    return text


def _gain(value: float | None) -> Text:
    style = "" if not value else "green" if value > 0 else "red"
    return Text(_usd(value, sign=True), style=style)


def _uptime(share: float | None) -> Text:
    if share is None:
        return Text("-")
    return Text(f"{share:.1%}", style="yellow" if share < _UPTIME_WARN else "")


def _age(age_ms: int | None) -> Text:
    if age_ms is None:
        return Text("-")
    style = "red" if age_ms > _AGE_BAD_MS else "yellow" if age_ms > _AGE_WARN_MS else ""
    return Text(f"{age_ms} ms", style=style)


def _notes(document: dict[str, Any]) -> list[str]:
    rows, now_ms = document["markets"], document["as_of_ms"]
    notes = list(document["warnings"])
    if (rollout := rollout_line(document["rollout"], document["revision"])) is not None:
        notes.append(rollout)
    for row in rows:
        if row["reason"] and not document["halted"]:  # else the head line says why
            notes.append(f"{row['market']}: {row['reason']}")
        if row["stale"]:
            age = f"{(now_ms - row['as_of_ms']) / 1000:.0f} s old" if row["as_of_ms"] else "unknown"
            notes.append(f"* {row['market']}: figures are {age}")
        if not row["pnl"]["reconciled"]:
            notes.append(f"{row['market']}: the ledger's position is not the venue's (yet)")
    if document["gateway"] == "down":
        notes.append("gateway: down. What is shown was stored last; fleet apply MANIFEST starts it")
    elif document["supervisor"] == "down":
        why = document["supervisor_reason"]
        notes.append(f"supervisor: down, {why}. fleet apply MANIFEST brings back what is missing")
    return notes


def _usd(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    cents = round(value, 2) + 0.0  # no "-0.00"
    return f"{cents:+,.2f}" if sign else f"{cents:,.2f}"
