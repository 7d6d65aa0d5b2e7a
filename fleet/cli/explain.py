"""``fleet explain MARKET``: why this quote, a sum that ends at the price; or what forbids it."""

from collections.abc import Iterator
from typing import Any, Final

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.control import Control, ControlDown
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.observe import observe
from fleet.cli.status_json import status_json
from fleet.folder import Folder

PATIENCE_S: Final = 8.0
SIDES: Final = ("bid", "ask")
_STEPS: Final = (
    ("inventory_bps", "inventory x skew"),
    ("cross_bps", "positions in other markets"),
    ("patience_bps", "patience: little is held"),
    ("presence_bps", "kept where it counts as quoting"),
    ("grid_bps", "least edge, post-only, tick"),
)


def run(market: str, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    told = _asked(folder, market)
    if output == "json":
        put_json(told)
        return
    for line in lines(told):
        put(line)


def _asked(folder: Folder, market: str) -> dict[str, Any]:
    """The agent's own words; where it can't say any, what the gateway knows of the market."""
    row = _row(folder, market)
    try:
        told: dict[str, Any] = Control(folder, PATIENCE_S).explain(market)
    except (ControlDown, Failure) as error:
        if row["owner"] == "agent":
            text = f"the agent of {market} can't be asked: {error}"
            raise Failure(ExitCode.OUT_OF_REACH, text, "fleet status still tells") from None
        say(f"{market}: no agent to ask")
        return _unquoted(row)
    return told


def _row(folder: Folder, market: str) -> dict[str, Any]:
    seen = observe(folder)
    rows: list[dict[str, Any]] = status_json(seen)["markets"]
    found = next((row for row in rows if row["market"] == market), None)
    if found is None:
        names = ", ".join(row["market"] for row in rows) or "none"
        text = f"no market {market!r} in fleet {folder.root.name}"
        raise Failure(ExitCode.INVALID, text, f"its markets: {names}")
    return found


def _unquoted(row: dict[str, Any]) -> dict[str, Any]:
    """The same keys as an agent's answer, where there is none: the gate and nothing else."""
    empty = dict.fromkeys(
        ("priced_ago_ms", "believed", "drift_bps", "centre_px", "aversion", "skew", *SIDES)
    )
    gate = f"{row['phase']}: {row['reason'] or 'no agent holds the market'}"
    return {
        "market": row["market"], "phase": row["phase"], "mode": "none", "gates": [gate], **empty,
        "found": [row["monitor"]] if row["monitor"] else [], "widen_bps": 0.0, "ramp_share": 1.0,
        "tight": False, "resting": {side: [] for side in SIDES},
    }  # fmt: skip


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The derivation for eyes, from the top down."""
    ago = told["priced_ago_ms"]
    age = "" if ago is None else f", priced {ago} ms ago"
    yield f"{told['market']}  {told['phase']}{age}"
    for gate in told["gates"]:
        yield f"gate      {gate}"
    yield from _found(told)
    if told["believed"] is not None:
        yield from _beliefs(told["believed"])
    if told["bid"] is None or told["ask"] is None:
        yield "quote     none"
        return
    yield f"centre    {told['centre_px']:.8g}  = fair, {told['drift_bps']:+.3f} bps of drift"
    averse, skew = told["aversion"], told["skew"]
    factors = "".join(f", {name} {log:+.3f}" for name, log in averse["factors"].items())
    yield f"aversion  {averse['rho']:.4g}  = {averse['base']:g} x exp(sum of its factors{factors})"
    form = "exact" if skew["exact"] else "closed form"
    yield (
        f"skew      own {skew['own_bps']:.4f} bps a clip of {skew['clip_sz']} ({form}),"
        f" {skew['inventory_clips']:+.3f} clips held"
    )
    yield (
        f"cross     {skew['cross']}: {skew['cross_bps']:+.4f} bps, as if {skew['cross_clips']:+.3f}"
        f" clips more were held; {100 * skew['own_share']:.0f} % of its own skew left"
    )
    yield ""
    yield from _sum(told)
    yield ""
    yield from _floors(told)
    for side in SIDES:
        yield from _levels(side, told[side]["wanted"], told["resting"][side])


def _found(told: dict[str, Any]) -> Iterator[str]:
    """What the monitors find, with the numbers it rests on."""
    for found in told["found"]:
        numbers = ", ".join(f"{name} {value:.6g}" for name, value in found["evidence"].items())
        rests = f" ({numbers})" if numbers else ""
        yield f"monitor   {found['mode']} by {found['monitor']}: {found['reason']}{rests}"
    if told["widen_bps"] > 0:
        yield f"widened   {told['widen_bps']:.2f} bps where it would add to what is held"
    if told["ramp_share"] < 1:
        yield f"ramp      sizes may use {told['ramp_share']:.0%} of the limits"


def _beliefs(believed: dict[str, Any]) -> Iterator[str]:
    sigma = "" if believed["sigma_known"] else " (prior)"
    yield f"mid       {believed['mid_px']:.8g}    fair {believed['fair_px']:.8g}"
    yield f"sigma     {believed['sigma_bps']:.4f} bps/sqrt(s){sigma}"
    for name, key, unit in (("A", "fills_per_s", "1/s"), ("kappa", "kappa_per_bps", "1/bps")):
        bid, ask = believed[key]["bid"], believed[key]["ask"]
        yield f"{name:<9} bid {bid:.4g}, ask {ask:.4g} {unit}"


def _sum(told: dict[str, Any]) -> Iterator[str]:
    """Two columns of bps that add up from the model to the first level's price."""
    bid, ask = told["bid"], told["ask"]
    yield f"{'bps from the centre':<34}{'bid':>12}{'ask':>12}"
    for name in bid["parts_bps"]:
        values = bid["parts_bps"][name], ask["parts_bps"][name]
        if any(values) or name in {"model", "fee"}:
            yield _row_of(f"  {name}", *values, sign=name != "model")
    yield _row_of("= half-spread", bid["half_spread_bps"], ask["half_spread_bps"])
    for key, name in _STEPS:
        if bid[key] or ask[key]:
            yield _row_of(f"  {name}", bid[key], ask[key], sign=True)
    yield _row_of("= first level", bid["first_bps"], ask["first_bps"])
    first = [(told[side]["wanted"] or [{"px": "none"}])[0]["px"] for side in SIDES]
    yield f"{'  price':<34}{first[0]:>12}{first[1]:>12}"


def _row_of(name: str, bid: float | None, ask: float | None, *, sign: bool = False) -> str:
    cells = ("-" if v is None else f"{v:+.4f}" if sign else f"{v:.4f}" for v in (bid, ask))
    return f"{name:<34}" + "".join(f"{cell:>12}" for cell in cells)


def _floors(told: dict[str, Any]) -> Iterator[str]:
    for side in SIDES:
        why = told[side]
        each = ", ".join(f"{name} {bps:.3f}" for name, bps in why["floors_bps"].items())
        lifted = "lifts it" if why["floor"] else "does not bind"
        yield f"floors    {side}: {each}; highest: {why['floor_highest']}, {lifted}"
    for side in SIDES:
        why = told[side]
        only = ", reducing only" if why["reduce_only"] else ""
        yield f"room      {side}: {why['room_sz']}{only}"


def _levels(
    side: str, wanted: list[dict[str, Any]], resting: list[dict[str, Any]]
) -> Iterator[str]:
    for name, orders in (("wanted", wanted), ("resting", resting)):
        each = ", ".join(f"{order['sz']} at {order['px']}" for order in orders) or "nothing"
        yield f"{name:<9} {side}: {each}"
