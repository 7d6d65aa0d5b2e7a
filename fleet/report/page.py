"""The report as one HTML file that needs nothing else: no network, no script."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from typing import Final

from fleet.report import svg
from fleet.report.gather import MarketPage, Mean, Slope

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #66707f; --line: #2a6fdb; --up: #2b8a57;
  --down: #c0392b; --grid: #d9dee6; --paper: #ffffff; --card: #f5f7fa }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #98a2b3; --line: #6ea8ff;
  --up: #57c08a; --down: #ff7b6b; --grid: #2c3542; --paper: #12161c; --card: #1a2029 } }
body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem } h3 { font-size: 1rem; margin: 0 }
h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 1px solid var(--grid); padding-top: 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: right; padding: .2rem .5rem;
  border-bottom: 1px solid var(--grid) } th:first-child, td:first-child { text-align: left }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem }
.chart { background: var(--card); border-radius: 8px; padding: .8rem 1rem }
.chart p { margin: .2rem 0; color: var(--soft); font-size: .9rem } svg { width: 100%; height: auto }
.line { fill: none; stroke: var(--line); stroke-width: 1.5 } .grid { stroke: var(--grid) }
.zero { stroke: var(--soft) } .tick { fill: var(--soft); font-size: 10px } .up { fill: var(--up) }
.down { fill: var(--down) } .error { stroke: var(--ink); stroke-width: 1.5 }
.nothing { color: var(--soft) } .sum { font-weight: 600 }
"""
MISFIT_MAX: Final = 2.5
_HEADS: Final = (
    "total",
    "spread",
    "inventory",
    "basis",
    "fees",
    "funding",
    "volume",
    "fills",
    "taker",
)


def page(fleet: str, pages: Sequence[MarketPage], since_ms: int, until_ms: int) -> str:
    """The whole file."""
    title = f"{escape(fleet)}: {_time(since_ms)} to {_time(until_ms)}"
    shown = "".join(_market(each) for each in pages)
    nothing = "" if pages else '<p class="nothing">No market traded in this time.</p>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body><h1>{title}</h1>'
        f"{_summary(pages) if pages else nothing}{shown}</body></html>\n"
    )


def _summary(pages: Sequence[MarketPage]) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.market)}</td>"
        f"{''.join(f'<td>{cell}</td>' for cell in _cells(each))}</tr>"
        for each in pages
    )
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    return (
        f"<table><thead><tr><th>market</th>{heads}</tr></thead><tbody>{rows}{_sum(pages)}</tbody>"
        "</table>"
        "<p>Each market in its DEX's collateral, the sum as if all were worth a dollar."
        " total = spread captured against the mid at each"
        " fill + inventory (what the mid did to what was held) + basis (mark against mid) - fees"
        " + funding. ? is not known.</p>"
    )


def _money_of(each: MarketPage) -> tuple[Decimal | None, ...]:
    p = each.period
    return (p.total_usd, p.spread_usd, p.inventory_usd, p.basis_usd, -p.fees_usd, p.funding_usd)


def _cells(each: MarketPage) -> tuple[str, ...]:
    p = each.period
    told = f"{p.volume_usd:,.0f}", f"{p.fills:,}", f"{p.taker_fills:,}"
    return (*map(_money, _money_of(each)), *told)


def _sum(pages: Sequence[MarketPage]) -> str:
    """The last row; ? where a part of one market is not known."""
    columns = zip(*map(_money_of, pages), strict=True)
    money = [_money(_added(column)) for column in columns]
    volume = sum((each.period.volume_usd for each in pages), Decimal(0))
    fills = sum(each.period.fills for each in pages)
    taker = sum(each.period.taker_fills for each in pages)
    cells = [*money, f"{volume:,.0f}", f"{fills:,}", f"{taker:,}"]
    return f'<tr class="sum"><td>all</td>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _added(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(values) else None


def _market(each: MarketPage) -> str:
    charts = (
        ("P&amp;L at the mid, net of fees",
         "Without funding. Its slope is the edge; its swings are the price of holding inventory.",
         svg.line(each.pnl, "P&L")),
        ("Position, coins",
         "A maker's position returns to zero; one that stays at a limit is a bet.",
         svg.line(each.position, "position", steps=True)),
        ("Markouts, bps", _markout_text(each.markouts), svg.bars(each.markouts, "markouts")),
        ("A fill a minute later, by its distance from the mid, bps",
         "Where a bar with its error lies below the fee, quoting at that distance loses.",
         svg.bars(each.by_depth, "markout by depth")),
        ("Fills an hour by distance from the mid, bps", _decay_text(each.decay),
         svg.counts(each.fills_by_depth, "fills by depth", hours=each.hours)),
    )  # fmt: skip
    cards = "".join(
        f'<div class="chart"><h3>{head}</h3>{chart}<p>{text}</p></div>'
        for head, text, chart in charts
    )
    return f'<h2>{escape(each.market)}</h2>{_verdict(each)}<div class="charts">{cards}</div>'


def _verdict(each: MarketPage) -> str:
    words = {
        "unproven": "It is not proven whether it earns its keep",
        "earns": "It earns its keep, as far as a sequential test at 5 % can say",
        "loses": "It loses, as far as a sequential test at 5 % can say: let it sleep",
    }
    edge = each.edge
    if edge is None or edge.finding == "few":
        seen = f", {edge.fills} so far" if edge else ""
        of_edge = f"Too few fills to say whether it earns its keep{seen}"
    else:
        of_edge = f"{words[edge.finding]}: {escape(edge.text)}"
    return f"<p>{of_edge}. {_sigma_text(each.sigma_bps)}</p>"


def _sigma_text(found: Mean | None) -> str:
    if found is None or found.se is None:
        return "Volatility: fewer than 30 minutes of mids."
    return (
        f"Volatility of the minutes' mids: {found.mean:.2f} ± {2 * found.se:.2f} bps per root"
        f" second ({found.count} minutes): held for a minute, a position moves"
        f" {found.mean * 60**0.5:.1f} bps by chance."
    )


def _markout_text(found: Sequence[Mean]) -> str:
    if len(found) < 2:
        return "What the price did after a fill; it needs mids seen 1, 10 and 60 s later."
    first, last = found[0], found[-1]
    if last.mean >= first.mean:
        told = f"{last.mean - first.mean:.2f} more came back by {last.label} later."
    else:
        told = f"{last.mean:.2f} are left {last.label} later: the rest went to those who knew more."
    return (
        f"{first.mean:.2f} bps were captured at the fill; {told}"
        " Bars: two standard errors; in brackets: fills."
    )


def _decay_text(found: Slope | None) -> str:
    if found is None:
        return "Too few fills for a fit of how they thin out with depth (30 are needed)."
    return (
        f"Our fills thin out by e each {1 / found.per_bps:.1f} bps"
        if found.per_bps > 0
        else "Our fills do not thin out with depth"
    ) + (
        f" (κ = {found.per_bps:.3f} ± {2 * found.se:.3f} per bps, {found.count} fills), from"
        f" {found.at_mid_per_h:.1f} ± {200 * found.at_mid_se_share:.0f} % an hour and bp at the mid"
        f" (A). Misfit {found.misfit:.1f}: {_misfit_text(found.misfit)} Both mix what the market"
        " takes with where we quoted: a check of κ and A, not they themselves."
    )


def _misfit_text(misfit: float) -> str:
    if misfit <= MISFIT_MAX:
        return "no more than chance is off the line."
    return "beyond chance, so they do not thin out by one rate."


def _money(value: Decimal | None) -> str:
    return "?" if value is None else f"{value:,.2f}".replace("-0.00", "0.00")


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
