"""``fleet dexs`` and ``fleet markets``: what a network offers, before a manifest names it."""

from typing import Any, Final
from urllib.parse import urlsplit

from fleet.cli import network
from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.network import URLS, Offer
from fleet.folder import Folder

PAPER: Final = "paper"


def dexs(url: str | None, output: Output, fleet: str | None) -> None:
    rows = dex_rows(_offer(url, fleet))
    if output == "json":
        put_json({"dexs": rows})
        return
    put(
        f"{'dex':<10} {'name':<16} {'collateral':<10} {'markets':>7}  {'OI cap, USD':>14}  deployer"
    )
    for row in rows:
        cap = "" if row["oi_cap_usd"] is None else f"{row['oi_cap_usd']:,.0f}"
        name = row["dex"] or "(main)"
        put(
            f"{name:<10} {row['full_name']:<16} {row['collateral']:<10} {row['markets']:>7}"
            f"  {cap:>14}  {row['deployer'] or ''}".rstrip()
        )


def markets(dex: str | None, url: str | None, output: Output, fleet: str | None) -> None:
    offer = _offer(url, fleet)
    names = ["", *offer.dexes]
    if dex is not None and dex not in names:
        mend = f"name one of {', '.join(filter(None, names))}"
        raise Failure(ExitCode.INVALID, f"--dex {dex}: no such DEX there", mend)
    rows = [row for row in market_rows(offer) if dex is None or row["dex"] == dex]
    if output == "json":
        put_json({"markets": rows})
        return
    put(
        f"{'market':<16} {'id':>6} {'dec':>3} {'lev':>3} {'margin':<8} {'fee bps':>7}"
        f" {'mark':>12} {'OI, USD':>15} {'OI cap, USD':>14}"
    )
    for row in rows:
        margin = "isolated" if row["isolated_only"] else "any"
        put(
            f"{row['market']:<16} {row['asset_id']:>6} {row['sz_decimals']:>3}"
            f" {row['leverage_max']:>3} {margin:<8} {row['maker_fee_bps']:>7.2f}"
            f" {_number(row['mark_px'], 'g'):>12} {_number(row['open_interest_usd'], ',.0f'):>15}"
            f" {_number(row['oi_cap_usd'], ',.0f'):>14}"
            f"{'' if row['tradable'] else '  delisted'}".rstrip()
        )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, ".6g" if form == "g" else form)


def dex_rows(offer: Offer) -> list[dict[str, Any]]:
    """A row a DEX, the main one first. ``oi_cap_usd``: the sum of its markets' caps."""
    rows = []
    for info in offer.registry.dexes:
        listed = offer.dexes.get(info.name)
        instruments = [i for i in offer.registry.instruments.values() if i.dex == info.name]
        caps = listed.asset_to_streaming_oi_cap if listed else ()
        rows.append(
            {
                "dex": info.name,
                "full_name": listed.full_name if listed else "Hyperliquid",
                "deployer": listed.deployer if listed else None,
                "index": info.index,
                "collateral": info.token,
                "collateral_mark_coin": info.token_mark_coin,
                "markets": sum(not i.delisted for i in instruments),
                "delisted": sum(i.delisted for i in instruments),
                "oi_cap_usd": float(sum(cap for _, cap in caps)) if caps else None,
            }
        )
    return rows


def market_rows(offer: Offer) -> list[dict[str, Any]]:
    """A row a market in the venue's order, delisted ones too. Fees are the lowest tier's."""
    caps: dict[str, float] = {
        coin: float(cap)
        for dex in offer.dexes.values()
        for coin, cap in dex.asset_to_streaming_oi_cap
    }
    rows = []
    for name, listed in offer.registry.instruments.items():
        now = offer.now.get(name)
        rows.append(
            {
                "market": name,
                "asset": name.rpartition(":")[2],
                "dex": listed.dex,
                "asset_id": listed.asset_id,
                "sz_decimals": listed.sz_decimals,
                "leverage_max": listed.leverage_max,
                "isolated_only": listed.isolated_only,
                "tradable": not listed.delisted,
                "collateral": listed.token,
                "maker_fee_bps": listed.maker_fee_bps,
                "taker_fee_bps": listed.taker_fee_bps,
                "mark_px": now.mark_px if now else None,
                "funding_hourly": now.funding if now else None,
                "day_volume_usd": now.day_ntl_vlm if now else None,
                "open_interest_usd": now.open_interest * now.mark_px if now else None,
                "oi_cap_usd": caps.get(name),
            }
        )
    return rows


def _offer(url: str | None, fleet: str | None) -> Offer:
    """Of the address or network that is named, else of the fleet's own network."""
    if url == PAPER:
        return network.paper_offered()
    if url is not None:
        address = URLS.get(url, url).rstrip("/")
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            mend = f"name {', '.join([PAPER, *URLS])}, or an address that begins with http"
            raise Failure(ExitCode.INVALID, f"--url {url}: no network", mend)
        return network.asked(address)
    found = venue_url(find(fleet))
    return network.paper_offered() if found is None else network.asked(found)


def venue_url(folder: Folder) -> str | None:
    """Where the fleet's venue is; None for an embedded exchange that does not run."""
    from fleet.cli.find import identity
    from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable

    known = identity(folder)
    if known is not None and known.network in URLS:
        return URLS[known.network]
    try:
        return GatewayClient(folder).status().url
    except (Unreachable, ApiFailure):
        return None
