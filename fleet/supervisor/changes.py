"""How a change of a market's settings reaches it: hot, by requoting, or by a restart."""

from collections.abc import Iterator
from typing import Final

import msgspec

from agents.settings import MarketSettings
from fleet.manifests.applies import CLASSES, of_market

_RAISES: Final = (
    "margin_usd", "leverage", "risk.position_max_usd", "risk.daily_loss_max_usd",
    "risk.order_value_max_usd", "risk.collar_bps",
)  # fmt: skip


class Change(msgspec.Struct, frozen=True):
    """One leaf that differs."""

    leaf: str
    before: object
    after: object

    @property
    def kind(self) -> str:
        """The class of the change, of a market's leaf."""
        return of_market(self.leaf)

    @property
    def raises_risk(self) -> bool:
        before, after = self.before, self.after
        return (
            self.leaf in _RAISES
            and isinstance(before, int | float)
            and isinstance(after, int | float)
            and after > before
        )


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{path}.{key}" if path else str(key))


def changes(before: msgspec.Struct, after: msgspec.Struct) -> tuple[Change, ...]:
    """The leaves that differ between two structs of one kind, in the order of the schema."""
    if before == after:
        return ()
    old, new = (dict(_leaves(msgspec.to_builtins(each), "")) for each in (before, after))
    return tuple(
        Change(leaf, old.get(leaf), new.get(leaf))
        for leaf in {**old, **new}
        if old.get(leaf) != new.get(leaf)
    )


def kind_of(before: MarketSettings, after: MarketSettings) -> str | None:
    """The class of a change; None if nothing differs."""
    kinds = {change.kind for change in changes(before, after)}
    return max(kinds, key=CLASSES.index) if kinds else None
