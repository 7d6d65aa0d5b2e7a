"""What the monitors together allow: one mode, its reasons, and what each side may do under it."""

from collections.abc import Iterable, Mapping
from enum import Enum, IntEnum, auto
from typing import Final

import msgspec


class Mode(IntEnum):
    """Rising severity; the worst finding decides."""

    NORMAL = 0
    WARN = 1  # told, nothing changes
    WIDEN = 2  # the adding side stands back by so many bps
    NO_NEW_RISK = 3  # what rests may rest, nothing is added
    REDUCE_ONLY = 4
    PULL = 5  # the market is not one to quote in; what reduces inventory stays
    BLIND = 6  # no quotes: we cannot see, or cannot act
    KILL = 7  # no quotes, and what is found may stay latched

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS.get(self, self.name.lower().replace("_", " "))


_WORDS: Final = {Mode.BLIND: "pull"}
Evidence = tuple[tuple[str, float], ...]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What one monitor found. ``evidence``: the numbers it rests on, names with units.

    ``widen_bps``: by how much the adding side stands back, whatever the mode. ``latches``: a kill
    that holds after its cause is gone, until it recovers by rule or a person lifts it.
    """

    mode: Mode
    reason: str
    monitor: str = ""
    evidence: Evidence = ()
    widen_bps: float = 0.0
    latches: bool = False


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The worst mode and the findings of that mode; the largest widening of all findings."""

    mode: Mode = Mode.NORMAL
    found: tuple[Finding, ...] = ()
    widen_bps: float = 0.0

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(finding.reason for finding in self.found)

    @property
    def reason(self) -> str | None:
        return "; ".join(self.reasons) if self.found else None


CLEAR: Final = Verdict()


class Allowance(Enum):
    """What one side may do."""

    NONE = auto()  # cancel all of it
    REDUCE = auto()  # orders that reduce, no more than the position
    KEEP = auto()  # what rests may stay; nothing new
    FULL = auto()


_N, _R, _K, _F = Allowance.NONE, Allowance.REDUCE, Allowance.KEEP, Allowance.FULL

# mode -> sign of the position -> (bid, ask)
ALLOWED: Final[Mapping[Mode, Mapping[int, tuple[Allowance, Allowance]]]] = {
    Mode.NORMAL: {1: (_F, _F), 0: (_F, _F), -1: (_F, _F)},
    Mode.WARN: {1: (_F, _F), 0: (_F, _F), -1: (_F, _F)},
    Mode.WIDEN: {1: (_F, _F), 0: (_F, _F), -1: (_F, _F)},
    Mode.NO_NEW_RISK: {1: (_K, _R), 0: (_K, _K), -1: (_R, _K)},
    Mode.REDUCE_ONLY: {1: (_N, _R), 0: (_N, _N), -1: (_R, _N)},
    Mode.PULL: {1: (_N, _R), 0: (_N, _N), -1: (_R, _N)},
    Mode.BLIND: {1: (_N, _N), 0: (_N, _N), -1: (_N, _N)},
    Mode.KILL: {1: (_N, _N), 0: (_N, _N), -1: (_N, _N)},
}


def aggregate(findings: Iterable[Finding | None]) -> Verdict:
    """The worst finding wins; equals give their reasons together, in the order given. Widening is
    the largest, never a sum and never a product.
    """
    worst, found, widen_bps = Mode.NORMAL, list[Finding](), 0.0
    for finding in findings:
        if finding is None:
            continue
        widen_bps = max(widen_bps, finding.widen_bps)
        if finding.mode < worst or finding.mode is Mode.NORMAL:
            continue
        if finding.mode > worst:
            worst, found = finding.mode, []
        found.append(finding)
    return Verdict(mode=worst, found=tuple(found), widen_bps=widen_bps) if found else CLEAR


def allowed(mode: Mode, inventory_sign: int) -> tuple[Allowance, Allowance]:
    """What bid and ask may do: every mode but blind and kill leaves the reducing side alone."""
    return ALLOWED[mode][inventory_sign]
