"""``fleet replay --sweep key=a,b``: each setting of a grid over one recording, side by side."""

import itertools
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from agents.settings import MarketSettings
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.manifests.spec import FleetSpec, decode, encode

RUNS_MAX: Final = 200
Changes = dict[str, Any]


class Job(msgspec.Struct, frozen=True):
    """One replay: the manifest as it is to be, over which recording, with which seed."""

    spec: bytes
    recording: str
    seed: int


def grid(wishes: Sequence[str]) -> list[Changes]:
    """Every combination of ``key=a,b,c``; exit 3 where one says nothing."""
    axes: list[list[tuple[str, Any]]] = []
    for wish in wishes:
        key, equals, values = wish.partition("=")
        if not equals or not key or not all(values.split(",")):
            mend = "write it as strategy.half_spread_floor_bps=2,4,8"
            raise Failure(ExitCode.INVALID, f"--sweep {wish}: no key with values", mend)
        axes.append([(key, _value(text)) for text in values.split(",")])
    combined = [dict(each) for each in itertools.product(*axes)]
    if len(combined) > RUNS_MAX:
        text = f"--sweep: {len(combined)} replays are too many"
        raise Failure(ExitCode.INVALID, text, f"leave at most {RUNS_MAX} combinations")
    return combined


def _value(text: str) -> Any:  # noqa: ANN401  # as YAML would read it
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def changed(spec: FleetSpec, changes: Changes) -> FleetSpec:
    """Every market with these settings; exit 3 where one does not exist or can't be so."""
    markets = {name: _with(settings, changes) for name, settings in spec.markets.items()}
    return msgspec.structs.replace(spec, markets=markets)


def _with(settings: MarketSettings, changes: Changes) -> MarketSettings:
    tree = msgspec.to_builtins(settings)
    for key, value in changes.items():
        node, *rest = tree, *key.split(".")
        for name in rest[:-1]:
            node = node.get(name) if isinstance(node, dict) else None
        if not isinstance(node, dict) or rest[-1] not in node:
            mend = "name a leaf of a market as in docs/manifest.md, such as strategy.levels"
            raise Failure(ExitCode.INVALID, f"--sweep {key}: no setting of a market", mend)
        node[rest[-1]] = value
    try:
        return msgspec.convert(tree, MarketSettings)
    except msgspec.ValidationError as error:
        raise Failure(ExitCode.INVALID, f"--sweep: {error}", "name other values") from None


def replayed(job: Job) -> dict[str, Any]:
    """One replay, as the figures that a sweep compares; runs in a worker."""
    from fleet.world.replay import replay

    began_s = time.process_time()
    result = replay(
        decode(job.spec), Path(job.recording),
        lambda purpose: random.Random(f"{job.seed} {purpose}"), None,
    )  # fmt: skip
    volume_usd = sum(row.volume_usd for row in result.markets)
    total_usd = sum(row.pnl.total_usd or 0.0 for row in result.markets)
    return {
        "fills": sum(row.fills for row in result.markets),
        "volume_usd": volume_usd,
        "pnl_usd": total_usd,
        "pnl_bps": total_usd / volume_usd * 10_000 if volume_usd else None,
        "quote_uptime_share": min(row.quote_uptime_share or 0.0 for row in result.markets),
        "inventory_max_usd": max(row.inventory_max_usd for row in result.markets),
        "digest": result.digest,
        "violations": len(result.violations),
        "cpu_s": round(time.process_time() - began_s, 2),
    }


def run(spec: FleetSpec, recording: Path, seed: int, wishes: Sequence[str], output: Output) -> int:
    """All of the grid, as Ray tasks over the cores; exit 1 where an invariant was violated."""
    from fleet.cluster.sweep import parallel

    sets = grid(wishes)
    jobs = [Job(encode(changed(spec, each)), str(recording.resolve()), seed) for each in sets]
    began_s = time.monotonic()
    rows = [{**each, **found} for each, found in zip(sets, parallel(replayed, jobs), strict=True)]
    took_s, cpu_s = time.monotonic() - began_s, sum(row["cpu_s"] for row in rows)
    say(f"{len(rows)} replays: {cpu_s:.0f} s of a core in {took_s:.0f} s, with Ray's start")
    if output == "json":
        put_json({"seed": seed, "recording": str(recording), "rows": rows})
    else:
        _table(list(sets[0]), rows)
    bad = any(row["violations"] for row in rows)
    return int(ExitCode.UNEXPECTED if bad else ExitCode.DONE)


def _table(keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    heads = "".join(f"{key.rpartition('.')[2]:>26}" for key in keys)
    figures = f"{'fills':>8}{'volume $':>12}{'P&L $':>10}{'bps':>8}{'quoted':>9}{'inventory $':>13}"
    put(heads + figures)
    for row in rows:
        bps = "?" if row["pnl_bps"] is None else f"{row['pnl_bps']:.2f}"
        uptime = f"{row['quote_uptime_share']:.1%}"
        figures = f"{row['fills']:>8}{row['volume_usd']:>12,.0f}{row['pnl_usd']:>10,.2f}{bps:>8}"
        figures += f"{uptime:>9}{row['inventory_max_usd']:>13,.0f}"
        put("".join(f"{row[key]!s:>26}" for key in keys) + figures)
