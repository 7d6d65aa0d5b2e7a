"""What a user may type: the verbs with their options, each handed over to a module of its own.

A verb's module is imported when it is called: ``status`` must not pay for what ``apply`` needs.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.console import Output

app = typer.Typer(
    help="A market-making fleet manager for Hyperliquid.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

As = Annotated[Output, typer.Option("-o", "--output", help="How the result is printed.")]
Name = Annotated[str | None, typer.Option("--fleet", help="Which fleet, where several run.")]
Manifest = Annotated[
    Path, typer.Argument(metavar="PATH", help="The manifest, or a folder of its parts.")
]
Market = Annotated[str, typer.Argument(metavar="MARKET", help="BTC, hyna:BTC, ...")]
MarketOrDex = Annotated[str, typer.Argument(metavar="MARKET|DEX", help="A market, or a DEX.")]
Follow = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is written down.")]


class Faults(StrEnum):
    """How bad a simulated world may be."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


class Allowed(StrEnum):
    """What an apply does only if it is told so."""

    RISK_INCREASE = "risk-increase"


@app.command()
def validate(path: Manifest, output: As = "table") -> None:
    """Check a manifest's schema and sense, offline."""
    from fleet.cli import validate as verb

    verb.run(path, output)


@app.command()
def apply(
    path: Manifest,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds until all markets must quote.")] = 120.0,
    only: Annotated[str | None, typer.Option(help="Roll out this market alone.")] = None,
    allow: Annotated[list[Allowed] | None, typer.Option(help="What may happen unasked.")] = None,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Make what runs equal to the manifest: plan, confirm, roll out, wait until it quotes."""
    from fleet.cli import apply as verb

    wishes = verb.Wishes(yes=yes, wait_s=wait, only=only, allow=tuple(allow or ()), fleet=fleet)
    verb.run(path, wishes, output)


@app.command()
def status(
    market: Annotated[str | None, typer.Argument(help="One market alone.")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Again each second.")] = False,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """The truth about the fleet: phases, positions, P&L, quotes."""
    from fleet.cli import status as verb

    verb.run(market, watch=watch, output=output, fleet=fleet)


@app.command()
def halt(
    *,
    reason: Reason = "halted by the operator",
    flatten: Annotated[bool, typer.Option("--flatten", help="Close positions too.")] = False,
    foreign: Annotated[bool, typer.Option("--all", help="Cancel foreign orders too.")] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Without Ray and gateway: cancel at the venue itself.")
    ] = False,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Latch, cancel everything of ours, prove it, report."""
    from fleet.cli import halt as verb

    wishes = verb.Wishes(reason=reason, flatten=flatten, foreign=foreign, direct=direct)
    verb.run(wishes, output, fleet)


@app.command()
def resume(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is written down.")],
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Lift the halt latch; markets quote again."""
    from fleet.cli import resume as verb

    verb.run(reason, output, fleet)


@app.command()
def pause(name: MarketOrDex, output: As = "table", fleet: Name = None) -> None:
    """No quotes in a market, or in all of a DEX; agents stay warm."""
    from fleet.cli import operate as verb

    verb.run("pause", name, output, fleet)


@app.command()
def unpause(name: MarketOrDex, output: As = "table", fleet: Name = None) -> None:
    """End a pause, or an agent's own fence."""
    from fleet.cli import operate as verb

    verb.run("unpause", name, output, fleet)


@app.command()
def drain(market: Market, *, wait: Follow = True, output: As = "table", fleet: Name = None) -> None:
    """Only reduce until flat or out of time, then as the manifest says, then stop."""
    from fleet.cli import operate as verb

    verb.run("drain", market, output, fleet, wait=wait)


@app.command()
def flatten(
    market: Market, *, wait: Follow = True, output: As = "table", fleet: Name = None
) -> None:
    """Close the position by the caretaker, inside its collar."""
    from fleet.cli import operate as verb

    verb.run("flatten", market, output, fleet, wait=wait)


@app.command()
def restart(market: Market, output: As = "table", fleet: Name = None) -> None:
    """Start a FAILED market again, or a running one anew."""
    from fleet.cli import operate as verb

    verb.run("restart", market, output, fleet)


@app.command()
def history(output: As = "table", fleet: Name = None) -> None:
    """Revisions, and who said what when; needs no process of the fleet."""
    from fleet.cli import history as verb

    verb.run(output, fleet)


@app.command()
def rollback(
    rev: Annotated[int | None, typer.Argument(help="Back to which; else the one before.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds until all markets must quote.")] = 120.0,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Back to an old revision, as a new one, under the lesser of both's limits."""
    from fleet.cli import rollback as verb

    verb.run(rev, yes=yes, wait_s=wait, output=output, fleet=fleet)


@app.command()
def down(
    *,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close positions first.")] = False,
    leave_positions: Annotated[
        bool, typer.Option("--leave-positions", help="Leave open positions as they are.")
    ] = False,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Cancel, prove, and stop every process of the fleet."""
    from fleet.cli import down as verb

    verb.run(flatten=flatten, leave_positions=leave_positions, output=output, fleet=fleet)


@app.command()
def logs(
    market: Annotated[str | None, typer.Argument(help="A market or a process.")] = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many.")] = 50,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """The log of a market, of a process, or of all."""
    from fleet.cli import logs as verb

    verb.run(market, follow=follow, lines=lines, output=output, fleet=fleet)


@app.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": [],
    }
)
def venue(context: typer.Context) -> None:
    """The embedded exchange alone; `fleet venue --help` lists its options."""
    from fleet.cli import venue as verb

    raise typer.Exit(verb.run(context.args))


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="Of all chance; equal seeds, equal worlds.")] = 1,
    markets: Annotated[int, typer.Option(help="How many.")] = 2,
    minutes: Annotated[float, typer.Option(help="Simulated, before everything heals.")] = 1.0,
    faults: Annotated[Faults, typer.Option(help="How bad it gets.")] = Faults.HEAVY,
    output: As = "table",
) -> None:
    """The whole fleet in one thread with faults; exit 1 if something that must hold does not."""
    from fleet.cli import simulate as verb

    code = verb.run(seed, markets=markets, minutes=minutes, faults=faults.value, output=output)
    raise typer.Exit(code)


@app.command()
def replay(
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="The manifest.")] = None,
    *,
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The market, as recorded.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the delays; default: the paper's.")] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="An agent's journal instead, or all in a fleet's folder."
        ),
    ] = None,
    write_journals: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the agents' journals there.")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=A,B", help="Compare values of a market's setting; repeat it."),
    ] = None,
    output: As = "table",
) -> None:
    """A manifest's agents over a recording, as fast as it goes; or an agent's journal once more."""
    from fleet.cli import replay as verb

    raise typer.Exit(
        verb.run(path, recording, journal, seed, output, write_journals, tuple(sweep or ()))
    )


@app.command()
def record(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: NAME.jsonl.zst.")],
    market: Annotated[list[str], typer.Option("--market", help="What; more than once for more.")],
    *,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="NETWORK|URL", help="Default: a running fleet's venue."),
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long; else till told.")] = None,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Record a network's market data, for `fleet replay` and `fleet venue --recording`."""
    from fleet.cli import record as verb

    verb.run(path, market, source=source, seconds=seconds, output=output, fleet=fleet)


@app.command()
def backtest(
    recordings: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER", help="Recordings.")],
    *,
    latency_ms: Annotated[float, typer.Option(min=0, help="To the venue, and back.")] = 250.0,
    floor_bps: Annotated[float, typer.Option(min=0.1, help="The smallest half-spread.")] = 2.0,
    ablate: Annotated[bool, typer.Option("--ablate", help="Without each part in turn.")] = False,
    output: As = "table",
) -> None:
    """Our quotes on recordings beside a fixed maker's and the ancestor's: P&L, risk, fills."""
    from fleet.cli import backtest as verb

    verb.run(recordings, latency_ms=latency_ms, floor_bps=floor_bps, ablate=ablate, output=output)


@app.command()
def who(
    cloid: Annotated[str, typer.Argument(metavar="CLOID", help="A client order id.")],
    output: As = "table",
) -> None:
    """Which fleet, market and generation sent an order."""
    from fleet.cli import who as verb

    verb.run(cloid, output)
