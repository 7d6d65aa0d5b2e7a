"""How busy each hour of the week is against the mean, shrunk to 1; hours are UTC."""

from typing import Final

from agents.estimators.carried import SeasonalityHeld

HOURS: Final = 168
MS_PER_H: Final = 3_600_000
MONDAY_H: Final = 72  # unix time began on a Thursday
PRIOR_H: Final = 8.0
FACTOR_MIN: Final = 0.5
FACTOR_MAX: Final = 2.0


def hour_of_week(at_ms: int) -> int:
    """0 is Monday 00:00 to 01:00 UTC."""
    return (at_ms // MS_PER_H + MONDAY_H) % HOURS


class SeasonalityEstimator:
    """Bursts an hour of the week against all hours' mean. Eight hours as the mean are put in first,
    so that one odd Tuesday moves little.
    """

    __slots__ = ("_bursts", "_hours")

    def __init__(self) -> None:
        self._bursts = [0.0] * HOURS
        self._hours = [0.0] * HOURS

    def elapse(self, at_ms: int, dt_s: float) -> None:
        """So much of this hour was watched."""
        self._hours[hour_of_week(at_ms)] += dt_s / 3_600.0

    def update(self, at_ms: int) -> None:
        """One burst."""
        self._bursts[hour_of_week(at_ms)] += 1.0

    def factor(self, at_ms: int) -> float:
        """1: as busy as the mean hour. Between a half and two."""
        hours, bursts = sum(self._hours), sum(self._bursts)
        if hours <= 0 or bursts <= 0:
            return 1.0
        hour = hour_of_week(at_ms)
        usual = bursts / hours
        told = (PRIOR_H + self._bursts[hour] / usual) / (PRIOR_H + self._hours[hour])
        return min(max(told, FACTOR_MIN), FACTOR_MAX)

    def carried(self) -> SeasonalityHeld:
        """What a checkpoint may hold."""
        return {"bursts": list(self._bursts), "hours": list(self._hours)}

    def carry(self, held: SeasonalityHeld) -> None:
        """Take what was counted; a week's shape does not age in days."""
        self._bursts, self._hours = list(held["bursts"]), list(held["hours"])
