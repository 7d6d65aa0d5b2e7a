"""The fleet's linear caps at the door: what all markets hold if the worst of what is open fills.

Of a market: up = (position + all bids) x mark, down = (position - all asks) x mark, in USD, and the
worst is the larger of both in size. Of the fleet:

    gross        sum of the worsts
    net          sum of the ups, and sum of the downs: both inside the cap
    underlying   sum of the worsts, less 0.8 of what is surely long beside what is surely short in
                 markets that net; surely long is what is left when all asks fill
    a DEX        sum of worst / leverage: the margin that it takes

An admission changes one market's part, so it costs the same however many markets there are. Once a
second all parts are made anew: by then marks have moved, and cancels have made room.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from agents.market.types import Side
from fleet.gateway.api import Caps, CapsUse
from fleet.gateway.core.limits import Exposure

NETTED_SHARE: Final = 0.8
SLACK: Final = 1e-9


class Kind(msgspec.Struct, frozen=True, gc=False):
    """What a market counts under."""

    underlying: str
    dex: str
    leverage: int
    nets: bool


class Part(msgspec.Struct, frozen=True, gc=False):
    """One market's worst case, USD, signed."""

    kind: Kind
    up_usd: float
    down_usd: float

    @property
    def worst_usd(self) -> float:
        return max(abs(self.up_usd), abs(self.down_usd))


class _Underlying(msgspec.Struct):
    gross_usd: float = 0.0
    long_usd: float = 0.0
    short_usd: float = 0.0

    @property
    def usd(self) -> float:
        return self.gross_usd - 2 * NETTED_SHARE * min(self.long_usd, self.short_usd)


def part(kind: Kind, exposure: Exposure, mark_usd: float) -> Part:
    """``mark_usd``: USD per coin."""
    position = float(exposure.position_sz)
    return Part(
        kind,
        up_usd=(position + float(exposure.open_bid_sz)) * mark_usd,
        down_usd=(position - float(exposure.open_ask_sz)) * mark_usd,
    )


class Worst:
    """The sums over all markets, by the last part told of each."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        self._gross_usd = self._up_usd = self._down_usd = 0.0
        self._underlyings: dict[str, _Underlying] = {}
        self._margins_usd: dict[str, float] = {}

    def renew(self, parts: Iterable[tuple[str, Part]]) -> None:
        """All parts anew: what was counted before is forgotten."""
        self.__init__()  # type: ignore[misc]
        for market, each in parts:
            self.put(market, each)

    def put(self, market: str, now: Part) -> None:
        """A market's part in place of the one told before."""
        before = self._parts.get(market)
        if before is not None:
            self._add(before, -1.0)
        self._parts[market] = now
        self._add(now, 1.0)

    def _add(self, each: Part, sign: float) -> None:
        kind, worst_usd = each.kind, sign * each.worst_usd
        self._gross_usd += worst_usd
        self._up_usd += sign * each.up_usd
        self._down_usd += sign * each.down_usd
        held = self._underlyings.setdefault(kind.underlying, _Underlying())
        held.gross_usd += worst_usd
        if kind.nets:
            held.long_usd += sign * max(each.down_usd, 0.0)
            held.short_usd += sign * max(-each.up_usd, 0.0)
        margin_usd = self._margins_usd.get(kind.dex, 0.0)
        self._margins_usd[kind.dex] = margin_usd + worst_usd / kind.leverage

    def use(self) -> CapsUse:
        """What is used of each cap."""
        return CapsUse(
            gross_usd=self._gross_usd,
            net_usd=max(abs(self._up_usd), abs(self._down_usd)),
            underlyings_usd={name: held.usd for name, held in self._underlyings.items()},
            dex_margins_usd=dict(self._margins_usd),
        )

    def refusal(self, market: str, wanted: Part, sides: Iterable[Side], caps: Caps) -> str | None:
        """Which cap ``wanted`` would break, and by how much; None: none.

        A cap that is broken already refuses only what makes it worse. ``sides``: those that grow.
        The part is counted, if it is let pass, by ``put``.
        """
        before = self._parts.get(market)
        old = self._told(wanted.kind)
        self.put(market, wanted)
        new = self._told(wanted.kind)
        self._restore(market, before)
        grows_up, grows_down = Side.BID in sides, Side.ASK in sides
        limits = (
            ("gross", old[0], new[0], caps.gross_max_usd),
            ("net", old[1], new[1], caps.net_max_usd if grows_up else None),
            ("net", old[2], new[2], caps.net_max_usd if grows_down else None),
            ("underlying", old[3], new[3], caps.underlying_gross_max_usd),
            ("dex_margin", old[4], new[4], caps.dex_margin_max_usd.get(wanted.kind.dex)),
        )
        for name, was_usd, is_usd, most_usd in limits:
            if most_usd is None or is_usd <= most_usd * (1 + SLACK):
                continue
            if is_usd > was_usd * (1 + SLACK):
                return f"{name}: {is_usd:.0f} USD if all that is open fills, cap {most_usd:g}"
        return None

    def _told(self, kind: Kind) -> tuple[float, float, float, float, float]:
        held = self._underlyings.get(kind.underlying)
        return (
            self._gross_usd,
            self._up_usd,
            -self._down_usd,
            held.usd if held else 0.0,
            self._margins_usd.get(kind.dex, 0.0),
        )

    def _restore(self, market: str, before: Part | None) -> None:
        wanted = self._parts[market]
        self._add(wanted, -1.0)
        if before is None:
            del self._parts[market]
        else:
            self._parts[market] = before
            self._add(before, 1.0)
