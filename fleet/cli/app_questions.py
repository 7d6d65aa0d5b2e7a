"""The verbs that ask and change nothing: what would change, what there is, what it earned."""

from typing import Annotated, Literal

import typer

from fleet.cli.app import As, Manifest, Market, Name, app

__all__ = ["app"]

Url = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL|NETWORK", help="Of a venue; else of the fleet's own network."
    ),
]


@app.command()
def dexs(url: Url = None, output: As = "table", fleet: Name = None) -> None:
    """What a network's DEXs are: collateral, deployer, markets, caps."""
    from fleet.cli import markets as verb

    verb.dexs(url, output, fleet)


@app.command()
def bench(
    what: Annotated[
        Literal["cross-model", "cross-exchange"],
        typer.Argument(metavar="WHAT", help="cross-model or cross-exchange."),
    ],
    *,
    paths: Annotated[int, typer.Option(min=2, help="Of chance.")] = 60,
    minutes: Annotated[float, typer.Option(min=0.1, help="Of each path.")] = 20.0,
    seed: Annotated[int, typer.Option(min=0, help="The first.")] = 7,
    shock: Annotated[
        float, typer.Option(min=0, max=3, help="How far the crowd leans one way; exchange alone.")
    ] = 1.3,
    output: As = "table",
) -> None:
    """What quoting the portfolio brings: cross-model (formulas), cross-exchange (engines)."""
    from fleet.cli import bench as verb

    verb.run(what, paths=paths, minutes=minutes, seed=seed, shock=shock, output=output)


@app.command()
def markets(
    dex: Annotated[str | None, typer.Option(help="Of this DEX alone; '' is the main one.")] = None,
    *,
    url: Url = None,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """What a network's markets are: ids, leverage, margin, fees, open interest."""
    from fleet.cli import markets as verb

    verb.markets(dex, url, output, fleet)


@app.command()
def explain(market: Market, output: As = "table", fleet: Name = None) -> None:
    """Why this quote: beliefs, half-spread by component, skew, floors, gates."""
    from fleet.cli import explain as verb

    verb.run(market, output, fleet)


@app.command()
def schema(
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page to read.")] = False,
) -> None:
    """The manifest's JSON Schema, for editors."""
    from fleet.cli.console import put, put_json
    from fleet.manifests.json_schema import json_schema

    if not markdown:
        put_json(json_schema())
        return
    from fleet.manifests.reference import reference

    put(reference(json_schema()).rstrip())


@app.command()
def plan(
    path: Manifest,
    *,
    only: Annotated[str | None, typer.Option(help="This market alone.")] = None,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """What an apply would do, and whether it can be made; exit 2 if there is something to do."""
    from fleet.cli import plan as verb

    raise typer.Exit(verb.run(path, only, output, fleet))


@app.command()
def pnl(
    since: Annotated[
        str | None, typer.Option(metavar="24h|today|TIME", help="Else since the ledger's start.")
    ] = None,
    by: Annotated[
        Literal["market", "dex", "hour"], typer.Option(help="A row for each.")
    ] = "market",
    *,
    output: Annotated[
        Literal["table", "json", "csv"], typer.Option("-o", "--output", help="How it is printed.")
    ] = "table",
    fleet: Name = None,
) -> None:
    """What the fleet earned, and of what; read from the ledger, so it needs no process."""
    from fleet.cli import pnl as verb

    verb.run(since, by, output, fleet)
