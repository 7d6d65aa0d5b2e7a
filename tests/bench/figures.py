"""What a benchmark measured, as rows beside the yardstick of the same run, printed as one table."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def per_call_s(call: Callable[[], object], *, calls: int, rounds: int = 9) -> float:
    """Seconds a call: the median over ``rounds`` of the mean over ``calls``; one round warms up."""
    spent = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        for _ in range(calls):
            call()
        spent.append((time.perf_counter() - began) / calls)
    return statistics.median(spent[1:])


@dataclass(frozen=True)
class Row:
    """``value`` must be at most ``ratio_max`` times ``yardstick``; both in seconds."""

    name: str
    value_s: float
    yardstick: str
    yardstick_s: float
    ratio_max: float

    @property
    def ratio(self) -> float:
        return self.value_s / self.yardstick_s

    @property
    def kept(self) -> bool:
        return self.ratio <= self.ratio_max


@dataclass
class Figures:
    """The rows of one run."""

    rows: list[Row] = field(default_factory=list)

    def add(
        self, name: str, *, value_s: float, yardstick: str, yardstick_s: float, ratio_max: float
    ) -> None:
        self.rows.append(Row(name, value_s, yardstick, yardstick_s, ratio_max))

    def table(self) -> str:
        """One line a row: what, how long, the yardstick, the ratio and its limit."""
        lines = [f"{'figure':<44}{'measured':>12}  {'yardstick':<34}{'ratio':>8}{'limit':>8}"]
        for row in self.rows:
            verdict = "" if row.kept else "  OVER"
            beside = f"{row.yardstick} {row.yardstick_s * 1e6:.1f} us"
            lines.append(
                f"{row.name:<44}{row.value_s * 1e6:>9.1f} us  {beside:<34}"
                f"{row.ratio:>8.2f}{row.ratio_max:>8.2f}{verdict}"
            )
        return "\n".join(lines)
