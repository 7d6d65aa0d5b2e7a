"""The rows of ``fleet pnl``: periods of markets and of tokens, in USD, summed as asked for.

    total = realized + unrealized - fees + funding + token mark
          = spread + inventory + basis - fees + funding + token mark

A market's figures are its DEX's token times the token's mark at the period's end; what the token
itself gained or lost on the balance is its DEX's, in a row of its own where rows are markets.
``adverse_*``: what the mid did to our fills afterwards, a part of inventory; negative: against us.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from fleet.ledger.edge import Edge
from fleet.ledger.periods import HORIZONS_S, Period
from fleet.ledger.tokens import DOLLAR, TokenPeriod

By = Literal["market", "dex", "hour"]
MONEY: Final = (
    "total_usd", "realized_usd", "unrealized_usd", "fees_usd", "funding_usd", "spread_usd",
    "inventory_usd", "basis_usd", "token_mark_usd",
)  # fmt: skip
_ADVERSE: Final = tuple(f"adverse_{seconds}s_usd" for seconds in HORIZONS_S)
_EDGE: Final = tuple(f"edge_{seconds}s_usd" for seconds in HORIZONS_S)
_MARKED: Final = tuple(f"marked_{seconds}s_usd" for seconds in HORIZONS_S)
_COUNTS: Final = ("fills", "taker_fills", "without_mid")
_SUMMED: Final = (*MONEY, *_ADVERSE, *_EDGE, *_MARKED, "volume_usd", *_COUNTS)
SHOWN: Final = (
    *MONEY, *_ADVERSE, *(f"markout_{seconds}s_bps" for seconds in HORIZONS_S), "volume_usd",
    *_COUNTS,
)  # fmt: skip
Row = dict[str, Any]


def rows_of(
    found: Sequence[Period], tokens: Sequence[TokenPeriod], by: By
) -> tuple[list[Row], Row]:
    """(a row a market, a DEX or an hour; their sum). What a part does not know, no sum knows."""
    marks = {(token.dex, token.until_ms): token for token in tokens}
    held = {period.market.rpartition(":")[0] for period in found}
    groups: dict[str, list[Row]] = {}
    for period in found:
        dex = period.market.rpartition(":")[0]
        token = marks.get((dex, period.until_ms))
        groups.setdefault(_key(period, dex, by), []).append(_of_market(period, token))
    for token in tokens:
        if token.token != DOLLAR and (token.token_mark_usd or token.dex in held):
            groups.setdefault(_token_key(token, by), []).append(_of_token(token))
    parts = [(key, groups[key]) for key in sorted(groups)]
    whole = _sum([row for _, rows in parts for row in rows])
    return [{by: key, **_shown(_sum(rows))} for key, rows in parts], _shown(whole)


def _key(period: Period, dex: str, by: By) -> str:
    if by == "market":
        return period.market
    return dex if by == "dex" else _hour(period.since_ms)


def _token_key(token: TokenPeriod, by: By) -> str:
    if by == "market":
        return f"{token.dex}:({token.token})"
    return token.dex if by == "dex" else _hour(token.since_ms)


def _hour(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:00Z")


def _of_market(period: Period, token: TokenPeriod | None) -> Row:
    """In USD. A DEX that the ledger has no account frame of yet counts its token as a dollar."""
    mark_usd = None if token is not None and token.mark_usd is None else 1.0
    if token is not None and token.mark_usd is not None:
        mark_usd = float(token.mark_usd)

    def usd(value: object) -> float | None:
        return None if value is None or mark_usd is None else float(value) * mark_usd  # type: ignore[arg-type]  # a Decimal

    row: Row = {name: usd(getattr(period, name)) for name in MONEY[:-1]}
    row |= {"token_mark_usd": 0.0, "volume_usd": usd(period.volume_usd)}
    for names, values in (
        (_ADVERSE, period.adverse_usd), (_EDGE, period.edge_usd), (_MARKED, period.marked_usd),
    ):  # fmt: skip
        row |= {name: usd(values[s]) for name, s in zip(names, HORIZONS_S, strict=True)}
    return row | {name: getattr(period, name) for name in _COUNTS}


def _of_token(token: TokenPeriod) -> Row:
    gained = None if token.token_mark_usd is None else float(token.token_mark_usd)
    return dict.fromkeys(_SUMMED, 0) | {"token_mark_usd": gained, "total_usd": gained}


def _sum(rows: Sequence[Row]) -> Row:
    sums: Row = {}
    for name in _SUMMED:
        parts = [row[name] for row in rows]
        sums[name] = None if None in parts else sum(parts)
    return sums


def _shown(row: Row) -> Row:
    """With markouts in bps in the place of the sums that they are made of."""
    bps = {}
    for seconds, edge, marked in zip(HORIZONS_S, _EDGE, _MARKED, strict=True):
        known = row[edge] is not None and row[marked]
        bps[f"markout_{seconds}s_bps"] = row[edge] / row[marked] * 10_000 if known else None
    return {name: (row | bps)[name] for name in SHOWN}


def as_csv(rows: Sequence[Row], by: By) -> str:
    """With a header; an empty field is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [by, *SHOWN], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def sleepers(edges: Mapping[str, Edge]) -> Iterator[str]:
    """What is proposed for sleep, and how."""
    for market, edge in sorted(edges.items()):
        if edge.finding == "loses":
            yield f"{market} loses by its fills: {edge.text}; put it to sleep: fleet drain {market}"
