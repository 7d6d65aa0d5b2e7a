"""``fleet status`` for eyes: the same document as its JSON, as a table."""

from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

WIDTH_PIPED: Final = 150
_PHASE_STYLES: Final = {
    "QUOTING": "green", "REDUCING": "yellow", "HALTED": "red", "FAILED": "red",
}  # fmt: skip
_COLUMNS: Final = (
    "market", "phase", "position", "value $", "mark", "half-spread", "orders",
    "fills", "volume $", "P&L $", "today $", "uptime", "data age",
)  # fmt: skip
_DROPPED_FIRST: Final = (
    "data age", "volume $", "mark", "uptime", "today $", "orders", "half-spread", "value $",
)  # fmt: skip
_GAP: Final = 2


def draw(document: dict[str, Any]) -> None:
    """Print the table, as wide as the terminal, or wide enough for a file."""
    console = console_for_table()
    console.print(render(document, console.width))


def console_for_table() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH_PIPED)


def render(document: dict[str, Any], width: int) -> RenderableType:
    """The whole picture; columns that a narrow terminal has no room for are left out."""
    rows = [dict(zip(_COLUMNS, _cells(row), strict=True)) for row in document["markets"]]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    names = _fitting(rows, width)
    for name in names:
        left = name in {"market", "phase"}
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(row[name] for name in names))
    notes = [Text(text, style="yellow") for text in _notes(document)]
    return Group(*_head(document), Text(), table, *notes)


def _fitting(rows: list[dict[str, Text | str]], width: int) -> list[str]:
    """The columns that fit, in their order; the least needed go first."""
    wide = {name: max(len(name), *(len(row[name]) for row in rows), 0) for name in _COLUMNS}
    names = list(_COLUMNS)
    for name in _DROPPED_FIRST:
        if sum(wide[each] + _GAP for each in names) - _GAP <= width:
            break
        names.remove(name)
    return names


def _head(document: dict[str, Any]) -> list[Text]:
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
    lines.append(Text(figures + (f"  foreign orders {foreign}" if foreign else "")))
    return lines


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


def _cells(row: dict[str, Any]) -> list[Text | str]:
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
        str(row["open_orders"]) if row["open_orders"] is not None else "-",
        str(row["fills"]) + (f" ({row['taker_fills']} taker)" if row["taker_fills"] else ""),
        f"{row['volume_usd']:,.0f}",
        _usd(row["pnl"]["total_usd"], sign=True),
        _usd(row["pnl_day_usd"], sign=True),
        f"{uptime:.1%}" if uptime is not None else "-",
        f"{row['data_age_ms']} ms" if row["data_age_ms"] is not None else "-",
    ]


def _notes(document: dict[str, Any]) -> list[str]:
    rows, now_ms = document["markets"], document["as_of_ms"]
    notes = list(document["warnings"])
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
    return f"{value:+,.2f}" if sign else f"{value:,.2f}"
