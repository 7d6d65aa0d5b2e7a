"""The verbs that are not about a manifest: one market by flags, and what looks after the house."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.cli.app import As, Manifest, Name
from fleet.cli.app_questions import app

__all__ = ["app"]

_ledger = typer.Typer(help="The books made once more from the action log and the venue.")
app.add_typer(_ledger, name="ledger", no_args_is_help=True)


@_ledger.command()
def check(output: As = "table", fleet: Name = None) -> None:
    """Make the ledger anew beside the one in use, and say what differs."""
    from fleet.cli import ledger as verb

    verb.run(output, fleet, replace=False)


@_ledger.command()
def rebuild(output: As = "table", fleet: Name = None) -> None:
    """Make the ledger anew, and put it in the place of the one in use."""
    from fleet.cli import ledger as verb

    verb.run(output, fleet, replace=True)


@app.command()
def run(
    asset: Annotated[str | None, typer.Option(help="BTC, ...")] = None,
    *,
    dex: Annotated[str, typer.Option(help="Of which DEX; else the main one.")] = "",
    net: Annotated[
        Literal["paper", "testnet", "mainnet"], typer.Option("--network", help="Where.")
    ] = "paper",
    target_liquidity: Annotated[
        float | None, typer.Option(min=0, help="Coins quoted on each side.")
    ] = None,
    risk_aversion: Annotated[float | None, typer.Option(help="Rho of GLFT.")] = None,
    max_bps_diff: Annotated[
        float | None, typer.Option(min=0, help="How far off, in bps, an order may rest.")
    ] = None,
    max_position: Annotated[float | None, typer.Option(min=0, help="Coins, at most.")] = None,
    leverage: Annotated[
        int | None, typer.Option(min=1, help="Else 3, or the venue's most.")
    ] = None,
    initial_isolated_margin: Annotated[
        float, typer.Option(min=10, help="The margin in USD.")
    ] = 1000.0,
    force_isolated: Annotated[bool, typer.Option(help="Isolated where both are allowed.")] = False,
    list_dexs: Annotated[bool, typer.Option(help="Only list the network's DEXs.")] = False,
    address: Annotated[str | None, typer.Option(help="The account, on a live network.")] = None,
    key_env: Annotated[
        str, typer.Option(metavar="NAME", help="The variable that holds the API wallet's key.")
    ] = "FLEET_API_KEY",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds until it must quote.")] = 120.0,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show the manifest alone.")] = False,
    output: As = "table",
) -> None:
    """One market without a manifest: shows the manifest that the flags mean, and applies it."""
    from fleet.cli import run as verb

    if list_dexs:
        from fleet.cli import markets

        markets.dexs(net, output, None)
        return
    flags = verb.Flags(
        asset=verb.named(asset), dex=dex, net=net, margin_usd=initial_isolated_margin,
        isolated=force_isolated, leverage=leverage, target_liquidity=target_liquidity,
        max_position=max_position, max_bps_diff=max_bps_diff, risk_aversion=risk_aversion,
        address=address, key_env=key_env,
    )  # fmt: skip
    verb.run(flags, yes=yes, wait_s=wait, dry=dry, output=output)


@app.command()
def doctor(output: As = "table", fleet: Name = None) -> None:
    """Look at environment, clock, key, permissions, processes, limits; each with its mend."""
    from fleet.cli import doctor as verb

    verb.run(output, fleet)


@app.command()
def keys(
    path: Manifest,
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Sign with this key from now on.")
    ] = False,
    output: As = "table",
) -> None:
    """Whether the API wallet may sign for the account, and until when."""
    from fleet.cli import keys as verb

    verb.run(path, output, rotate=rotate)


@app.command()
def adopt(
    name: Annotated[str | None, typer.Argument(metavar="MARKET|DEX", help="Else: list.")] = None,
    *,
    cash: Annotated[
        bool, typer.Option("--cash", help="What nothing explains of a DEX's balance is yours.")
    ] = False,
    output: As = "table",
    fleet: Name = None,
) -> None:
    """Positions, orders and money on the account that are not the fleet's, and taking them over."""
    from fleet.cli import adopt as verb

    verb.run(name, output, fleet, money=cash)


@app.command()
def report(
    since: Annotated[str | None, typer.Option(help="24h, today, a time; the last day.")] = None,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("report.html"),
    output: As = "table",
    fleet: Name = None,
) -> None:
    """One HTML page: P&L and what it is made of, markouts, inventory, fits; needs no network."""
    from fleet.cli import report as verb

    verb.run(since, out, output, fleet)
