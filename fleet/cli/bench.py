"""``fleet bench``: what quoting the portfolio brings, in the model and on the embedded exchange."""

import random
from typing import Literal

from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure

What = Literal["cross-model", "cross-exchange"]


def run(what: What, *, paths: int, minutes: float, seed: int, shock: float, output: Output) -> None:
    """One table; equal seeds, equal tables."""
    if paths < 2 or minutes <= 0:
        raise Failure(ExitCode.INVALID, "too little to tell anything", "--paths 2 or more")
    if what == "cross-model":
        _model(paths, minutes, seed, output)
    else:
        _exchange(paths, minutes, seed, shock, output)


def _model(paths: int, minutes: float, seed: int, output: Output) -> None:
    import numpy as np

    from fleet.backtest.crossing import FLOWS, table

    chance = [np.random.default_rng([seed, row]) for row in range(len(FLOWS))]
    rows = [one for pair in table(chance, paths=paths, seconds=60.0 * minutes) for one in pair]
    if output == "json":
        put_json({"paths": paths, "minutes": minutes, "seed": seed, "rows": rows})
        return
    put(
        f"{'order flow':<34}{'mode':<18}{'mean':>8}{'sd':>8}{'var':>8}{'mean DD':>9}{'95 % DD':>9}"
        f"{'mean/sd':>9}"
    )
    for row in rows:
        put(
            f"{row.flow:<34}{row.mode:<18}{row.mean:>8.0f}{row.sd:>8.0f}{row.variance:>8.1f}"
            f"{row.drawdown_mean:>9.0f}{row.drawdown_95:>9.0f}{row.ratio:>9.1f}"
        )


def _exchange(paths: int, minutes: float, seed: int, shock: float, output: Output) -> None:
    from fleet.backtest.paired import Compared, Interval, compare, pairs
    from fleet.backtest.shared_flow import Crowd

    found = []
    for pair in pairs(
        range(seed, seed + paths),
        Crowd(shock=shock),
        random.Random,
        seconds=round(60 * minutes),
    ):
        found.append(pair)
        if output == "table":
            off, on = pair
            put(
                f"path {off.seed}: P&L {off.pnl_usd:.2f} to {on.pnl_usd:.2f} USD, risk"
                f" {off.risk_usd:.3f} to {on.risk_usd:.3f}, {off.fills} and {on.fills} fills"
            )
    said: Compared = compare(found, random.Random(seed))
    if output == "json":
        put_json(
            {"shock": shock, "minutes": minutes, "seed": seed, "compared": said, "paths": found}
        )
        return

    def change(name: str, told: Interval) -> None:
        put(f"{name:<24}{told.value:>+8.1%}   95 %: {told.low:+.1%} to {told.high:+.1%}")

    put(f"{said.paths} pairs: mean {said.off_mean_usd:.2f} to {said.on_mean_usd:.2f} USD,"
        f" sd {said.off_sd_usd:.2f} to {said.on_sd_usd:.2f}")  # fmt: skip
    change("deviation of the P&L", said.sd_change)
    change("mean of the P&L", said.mean_change)
    change("mean, at fair prices", said.earned_change)
    change("risk held", said.risk_change)
    change("mean drawdown", said.drawdown_change)
