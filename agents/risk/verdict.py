"""What the monitors together allow: one mode, its reasons, and what each side may do under it."""

from collections.abc import Iterable, Mapping
from enum import Enum, IntEnum, auto
from typing import Final

import msgspec


class Mode(IntEnum):
    """Rising severity; the worst finding decides."""

    NORMAL = 0
    NO_NEW_RISK = 1  # what rests may rest, nothing is added
    REDUCE_ONLY = 2
    PULL = 3  # no quotes: we cannot see, or cannot act
    HALT = 4


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What one monitor found."""

    mode: Mode
    reason: str


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The worst mode, and the reasons of all findings of that mode."""

    mode: Mode = Mode.NORMAL
    reasons: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        return "; ".join(self.reasons) if self.reasons else None


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
    Mode.NO_NEW_RISK: {1: (_K, _R), 0: (_K, _K), -1: (_R, _K)},
    Mode.REDUCE_ONLY: {1: (_N, _R), 0: (_N, _N), -1: (_R, _N)},
    Mode.PULL: {1: (_N, _N), 0: (_N, _N), -1: (_N, _N)},
    Mode.HALT: {1: (_N, _N), 0: (_N, _N), -1: (_N, _N)},
}


def aggregate(findings: Iterable[Finding | None]) -> Verdict:
    """The worst finding wins; equals give their reasons together, in the order given."""
    worst, reasons = Mode.NORMAL, list[str]()
    for finding in findings:
        if finding is None or finding.mode < worst or finding.mode is Mode.NORMAL:
            continue
        if finding.mode > worst:
            worst, reasons = finding.mode, []
        reasons.append(finding.reason)
    return Verdict(mode=worst, reasons=tuple(reasons))


def allowed(mode: Mode, inventory_sign: int) -> tuple[Allowance, Allowance]:
    """What bid and ask may do: every mode but pull and halt leaves the reducing side alone."""
    return ALLOWED[mode][inventory_sign]
