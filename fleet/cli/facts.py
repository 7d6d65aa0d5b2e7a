"""Gathers what a plan's viability needs: of the network, of the account, of the agents that run."""

import time
from decimal import Decimal
from typing import Final

import msgspec

from agents.exchange.wire_account import ClearinghouseState, SpotState, UserRateLimit
from agents.exchange.wire_market import UserFees
from fleet.cli.find import identity
from fleet.cli.network import (
    MAKER_RATE,
    TAKER_RATE,
    URLS,
    Ask,
    Offer,
    Unheard,
    Wire,
    offered,
    paper,
    read,
)
from fleet.cli.wallet import signer, wallet
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.manifests.spec import FleetSpec
from fleet.manifests.viability import Beliefs, DexFacts, Facts, MarketFacts

GATEWAY_PATIENCE_S: Final = 1.0
BPS: Final = 10_000.0


class Gathered(msgspec.Struct, frozen=True):
    """The facts, and the listing that a manifest is checked against."""

    offer: Offer
    facts: Facts


def gather(folder: Folder, spec: FleetSpec, key: str | None = None) -> Gathered:
    """Ask whoever can answer. Raises ``Unheard`` where a live network does not. ``key``: the API
    wallet's, where it was read already.
    """
    status = _gateway(folder)
    wanted = {market.rpartition(":")[0] for market in spec.markets}
    url = URLS.get(spec.network) or (status.url if status else None)
    if url is None:
        return _at_rest(spec, wanted)
    wire = Wire(url)
    try:
        return _of_network(wire, url, folder, spec, wanted, status, key)
    except Unheard:
        if spec.network in URLS:
            raise
        return _at_rest(spec, wanted)  # the embedded exchange went away while it was asked
    finally:
        wire.close()


def _gateway(folder: Folder) -> GatewayStatus | None:
    try:
        return GatewayClient(folder, GATEWAY_PATIENCE_S).status()
    except (Unreachable, ApiFailure):
        return None


def _at_rest(spec: FleetSpec, wanted: set[str]) -> Gathered:
    """The embedded exchange before it runs: it lists what it lists, and moves as it is made to."""
    from agents.sim.flow_profile import profile

    offer = offered(paper(), wanted)
    moving = spec.paper is not None and spec.paper.recording is None
    mode = spec.paper.flow if spec.paper else "real"
    markets = {}
    for name in spec.markets:
        listed = offer.registry.instrument(name)
        if listed is None:
            continue
        sigma_bps = profile(name, mode).sigma_bps if moving else None
        mark_px = offer.now[name].mark_px if moving else None
        beliefs = Beliefs(sigma_bps=sigma_bps)
        markets[name] = MarketFacts(listed, mark_px=mark_px, beliefs=beliefs)
    dexes = {d.name: DexFacts(d.token) for d in offer.registry.dexes if d.name in wanted}
    source = "the embedded exchange, which does not run: it funds every DEX when it starts"
    return Gathered(offer, Facts(source, markets, dexes))


def _of_network(
    wire: Ask,
    url: str,
    folder: Folder,
    spec: FleetSpec,
    wanted: set[str],
    status: GatewayStatus | None,
    key: str | None,
) -> Gathered:
    known = identity(folder)
    address = spec.account.address if spec.account else known.address if known else None
    maker, taker = MAKER_RATE, TAKER_RATE
    if address is not None:
        fees = read(wire, {"type": "userFees", "user": address}, UserFees)
        maker, taker = fees.user_add_rate, fees.user_cross_rate
    offer = offered(wire, wanted, maker, taker)
    learnt = _learnt(status)
    markets = {
        name: _market(offer, name, learnt.get(name, Beliefs()))
        for name in spec.markets
        if offer.registry.instrument(name) is not None
    }
    listed = len(offer.registry.dexes)
    if address is None:
        return Gathered(offer, Facts(url, markets, dexes_listed=listed))
    rate = read(wire, {"type": "userRateLimit", "user": address}, UserRateLimit)
    mode = read(wire, {"type": "userAbstraction", "user": address}, str)
    signs = signer(spec.account, key, status)
    found = None
    if spec.account is not None and signs is not None:
        found = wallet(wire, spec.account, signs, time.time_ns() // 1_000_000)
    facts = Facts(
        source=url,
        markets=markets,
        dexes=_dexes(wire, offer, address, wanted, status),
        requests_left=max(0, rate.n_requests_cap - rate.n_requests_used + rate.n_requests_surplus),
        account_mode=mode,
        maker_fee_bps=float(maker) * BPS,
        taker_fee_bps=float(taker) * BPS,
        dexes_listed=listed,
        wallet=found,
    )
    return Gathered(offer, facts)


def _market(offer: Offer, name: str, beliefs: Beliefs) -> MarketFacts:
    listed, now = offer.registry.instruments[name], offer.now.get(name)
    if now is None:
        return MarketFacts(listed, beliefs=beliefs)
    half_bps = None
    if now.impact_pxs is not None:
        bid_px, ask_px = now.impact_pxs
        half_bps = (ask_px - bid_px) / (ask_px + bid_px) * BPS
    row = offer.dexes.get(listed.dex)
    caps = dict(row.asset_to_streaming_oi_cap) if row else {}
    cap = caps.get(listed.coin)
    headroom = None if cap is None else max(0.0, float(cap) - now.open_interest * now.mark_px)
    return MarketFacts(listed, now.mark_px, half_bps, headroom, beliefs)


def _learnt(status: GatewayStatus | None) -> dict[str, Beliefs]:
    """What the agents that quote have learnt."""
    return {
        view.market: Beliefs(
            sigma_bps=view.report.sigma_bps,
            kappa_per_bps=view.report.kappa_per_bps,
            fills_per_s=view.report.fills_per_s,
            half_spread_bps=view.report.half_spread_bps,
        )
        for view in (status.markets if status else ())
        if view.report is not None
    }


def _dexes(
    wire: Ask, offer: Offer, address: str, wanted: set[str], status: GatewayStatus | None
) -> dict[str, DexFacts]:
    spot = read(wire, {"type": "spotClearinghouseState", "user": address}, SpotState)
    free = {balance.coin: balance.total - balance.hold for balance in spot.balances}
    marks = {view.dex: view.token_mark_usd for view in (status.dexes if status else ())}
    found = {}
    for dex in offer.registry.dexes:
        if dex.name not in wanted:
            continue
        request = {"type": "clearinghouseState", "user": address, "dex": dex.name}
        state = read(wire, request, ClearinghouseState)
        found[dex.name] = DexFacts(
            token=dex.token,
            account_value=float(state.margin_summary.account_value),
            spot_free=float(free.get(dex.token, Decimal(0))),
            token_mark_usd=marks.get(dex.name),
        )
    return found
