"""``fleet backtest``: our quotes on recordings, beside a fixed maker's and the ancestor's."""

from pathlib import Path

from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure


def run(
    recordings: list[Path], *, latency_ms: float, floor_bps: float, ablate: bool, output: Output
) -> None:
    """Print a row a market and maker. A folder stands for the recordings in it."""
    from agents.sim.tape import TapeError
    from fleet.backtest.desk import Terms
    from fleet.backtest.run import Bout, makers
    from fleet.backtest.run import run as fight

    files = [file for path in recordings for file in _files(path)]
    bout = Bout(floor_bps=floor_bps, terms=Terms(order_ms=latency_ms, answer_ms=latency_ms))
    rows = []
    try:
        for row in fight(files, bout, makers(ablate=ablate)):
            rows.append(row)
            if output == "table":
                bps = "      -        " if row.pnl_bps is None else (
                    f"{row.pnl_bps:>7.2f} ±{row.se_bps or 0.0:>5.2f} "
                )  # fmt: skip
                share = row.uptime_share
                put(
                    f"{row.recording[:20]:<20} {row.market:<6} {row.maker:<22} {row.fills:>4} fills"
                    f" {bps} bps  sd {row.sd_minute_usd:>6.2f} USD/min"
                    f"  held {row.inventory_rms_usd:>5.0f} USD  {row.requests:>5} requests"
                    + ("" if share is None else f"  quoted {100 * share:.1f} %")
                )
    except TapeError as error:
        raise Failure(ExitCode.INVALID, str(error)) from error
    if output == "json":
        put_json({"latency_ms": latency_ms, "floor_bps": floor_bps, "rows": rows})


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.jsonl.zst"))
        if not found:
            text = f"{path} holds no .jsonl.zst recording"
            raise Failure(ExitCode.INVALID, text, "name a recording, or the folder that holds them")
        return found
    if not path.is_file():
        raise Failure(ExitCode.INVALID, f"{path} is no file", "name a .jsonl.zst recording")
    return [path]
