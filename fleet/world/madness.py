"""An agent gone mad: what it sends is not what it decided, as after a bug between the two."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from agents.orders.cloid import PREFIX_DIGITS, SEQUENCE_DIGITS

Madness = Callable[[bytes], list[bytes]]
FOLLY: Final = Decimal("0.2")
"""Twice what a door's collar leaves by default."""
TRIFLE: Final = Decimal("0.05")
"""Within the collar, and through any market: what names such a price never rests."""
FIGURES: Final = 2
COPIES: Final = 8
BATCH: Final = 40
_FIRST: Final = 0xF << 4 * (SEQUENCE_DIGITS - 1)
_PREFIX: Final = 2 + PREFIX_DIGITS


def misprices(raw: bytes) -> list[bytes]:
    """What it places is bid a fifth too high, or asked a fifth too low."""
    told = msgspec.json.decode(raw)
    rows = _rows(told)
    for row in rows:
        row["p"] = _through(row, FOLLY)
    return [msgspec.json.encode(told) if rows else raw]


class Floods:
    """Each placement is sent eight times over, in as many small orders as a batch may hold."""

    def __init__(self) -> None:
        self._sent = _FIRST

    def __call__(self, raw: bytes) -> list[bytes]:
        told = msgspec.json.decode(raw)
        rows = _rows(told)
        if not rows:
            return [raw]
        for row in rows:
            row["p"] = _through(row, TRIFLE)
            row["s"] = _part(row["s"])
        first = rows + list(self._more(rows, BATCH - len(rows)))
        batches = [first, *(list(self._more(rows, BATCH)) for _ in range(COPIES - 1))]
        return [_placing(told, batch) for batch in batches]

    def _more(self, rows: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
        for at in range(count):
            row = rows[at % len(rows)]
            self._sent += 1
            cloid = f"{row['c'][:_PREFIX]}{self._sent:0{SEQUENCE_DIGITS}x}"
            yield {**row, "c": cloid}


def _action(told: dict[str, Any]) -> dict[str, Any]:
    payload = told.get("request", {}).get("payload", {})
    action = payload.get("action", {})
    return action if isinstance(action, dict) else {}


def _rows(told: dict[str, Any]) -> list[dict[str, Any]]:
    action = _action(told)
    return [*action.get("orders", ()), *(row["order"] for row in action.get("modifies", ()))]


def _placing(told: dict[str, Any], batch: list[dict[str, Any]]) -> bytes:
    action = {"type": "order", "orders": batch, "grouping": "na"}
    payload = {**told["request"]["payload"], "action": action}
    return msgspec.json.encode({**told, "request": {**told["request"], "payload": payload}})


def _through(row: dict[str, Any], share: Decimal) -> str:
    """With few figures, so that it is on any market's grid."""
    wrong = Decimal(row["p"]) * (1 + share if row["b"] else 1 - share)
    exponent = wrong.adjusted() - (FIGURES if share < FOLLY else FIGURES - 1)
    return format(wrong.quantize(Decimal(1).scaleb(exponent)), "f")


def _part(sz: str) -> str:
    """A fortieth, in whole lots, one at least."""
    lot = Decimal(1).scaleb(int(Decimal(sz).as_tuple().exponent))
    return format(max((Decimal(sz) / BATCH).quantize(lot), lot), "f")
