"""``/info``: which request is answered by what, and what unknown things get."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from agents.market.types import Coin
from agents.sim import info_accounts as accounts
from agents.sim import info_fills as fills
from agents.sim import info_markets as markets
from agents.sim import info_spot as spot
from agents.sim import info_standing as standing
from agents.sim import info_sundry as sundry
from agents.sim import rows
from agents.sim.accounts import Account
from agents.sim.actions import parse_address
from agents.sim.floor import Floor
from agents.sim.info_fees import user_fees
from agents.sim.outputs import UnknownRequest
from agents.sim.signers import extra_agents, role
from agents.sim.universe import DexSpec

Millis = Annotated[int, msgspec.Meta(ge=0)]


class InfoRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Every key that some request has; a request that needs an absent one is refused."""

    type: str
    dex: str | None = None
    coin: str | None = None
    user: str | None = None
    oid: int | str | None = None
    n_sig_figs: int | None = None
    mantissa: int | None = None
    start_time: Millis | None = None
    end_time: Millis | None = None
    reversed: bool | None = None
    aggregate_by_time: bool | None = None
    builder: str | None = None
    token_id: str | None = None
    id: int | None = None


Answer = Callable[[Floor, InfoRequest, int], object]


def answer(floor: Floor, request: Mapping[str, object], now_ms: int) -> object:
    """A JSON-ready answer. Raises UnknownRequest where type or a needed key is amiss."""
    try:
        parsed = msgspec.convert(request, type=InfoRequest)
    except (msgspec.ValidationError, TypeError, RecursionError):
        raise UnknownRequest from None
    answerer = _ANSWERS.get(parsed.type)
    if answerer is None:
        raise UnknownRequest
    return answerer(floor, parsed, now_ms)


def _dex(floor: Floor, request: InfoRequest) -> DexSpec | None:
    return floor.universe.by_dex.get(request.dex or "")


def _user(floor: Floor, request: InfoRequest) -> Account:
    """The account asked for; an unknown address gets an empty one that is not kept."""
    if request.user is None:
        raise UnknownRequest
    address = parse_address(request.user)
    return floor.accounts.get(address) or Account(address)


def _coin(floor: Floor, request: InfoRequest) -> Coin | None:
    if request.coin is None:
        raise UnknownRequest
    coin = Coin(request.coin)
    return coin if coin in floor.markets else None


def _meta(floor: Floor, request: InfoRequest, _: int) -> object:
    dex = _dex(floor, request)
    return None if dex is None else markets.meta(floor, dex)


def _meta_and_ctxs(floor: Floor, request: InfoRequest, _: int) -> object:
    dex = _dex(floor, request)
    return None if dex is None else markets.meta_and_ctxs(floor, dex)


def _all_mids(floor: Floor, request: InfoRequest, _: int) -> object:
    dex = _dex(floor, request)
    return None if dex is None else markets.all_mids(floor, dex)


def _perp_dex_limits(floor: Floor, request: InfoRequest, _: int) -> object:
    if not request.dex:
        raise UnknownRequest
    dex = _dex(floor, request)
    return None if dex is None else markets.perp_dex_limits(dex)


def _margin_table(_floor: Floor, request: InfoRequest, _: int) -> object:
    if request.id is None:
        raise UnknownRequest
    return markets.margin_table(request.id)


def _at_cap(floor: Floor, request: InfoRequest, _: int) -> object:
    dex = _dex(floor, request)
    if dex is None:
        return None
    return [coin for coin in floor.universe.coins(dex.name) if floor.at_cap(coin)]


def _dex_status(floor: Floor, request: InfoRequest, _: int) -> object:
    dex = _dex(floor, request)
    if dex is None:
        return None
    cash = (account.clearing(dex.name).raw_usd for account in floor.accounts.values())
    return {"totalNetDeposit": rows.number(sum(cash, Decimal(0)))}


def _l2_book(floor: Floor, request: InfoRequest, _: int) -> object:
    figures, mantissa = request.n_sig_figs, request.mantissa
    if figures not in {None, 2, 3, 4, 5} or mantissa not in {None, 1, 2, 5}:
        raise UnknownRequest
    if mantissa is not None and figures != 5:
        raise UnknownRequest
    coin = _coin(floor, request)
    if request.coin is not None and request.coin in spot.COINS:
        return spot.book(request.coin, floor.now_ms)
    if coin is None:
        return None
    return markets.l2_row(floor, coin, markets.BOOK_DEPTH, figures, mantissa)


def _recent_trades(floor: Floor, request: InfoRequest, _: int) -> object:
    coin = _coin(floor, request)
    if request.coin in spot.COINS:
        return []
    return None if coin is None else markets.recent_trades(floor, coin)


def _clearing_state(floor: Floor, request: InfoRequest, now_ms: int) -> object:
    dex, account = _dex(floor, request), _user(floor, request)
    if dex is None:
        return None
    return accounts.clearing_state(floor, account.clearing(dex.name), now_ms)


def _open_orders(floor: Floor, request: InfoRequest, _: int) -> object:
    dex, account = _dex(floor, request), _user(floor, request)
    frontend = request.type == "frontendOpenOrders"
    if dex is None:
        return None
    return accounts.open_orders(floor, account, dex.name, frontend=frontend)


def _user_fills_by_time(floor: Floor, request: InfoRequest, _: int) -> object:
    if request.start_time is None:
        raise UnknownRequest
    return fills.user_fills_by_time(
        _user(floor, request),
        request.start_time,
        request.end_time,
        newest_first=bool(request.reversed),
        aggregated=bool(request.aggregate_by_time),
    )


def _order_status(floor: Floor, request: InfoRequest, _: int) -> object:
    if request.oid is None:
        raise UnknownRequest
    return accounts.order_status(_user(floor, request), request.oid)


def _active_asset_data(floor: Floor, request: InfoRequest, _: int) -> object:
    coin, account = _coin(floor, request), _user(floor, request)
    return None if coin is None else accounts.active_asset_data(floor, account, coin)


def _user_role(floor: Floor, request: InfoRequest, _: int) -> object:
    return role(floor, _user(floor, request).address)


def _spot_state(floor: Floor, request: InfoRequest, _: int) -> object:
    return standing.spot_state(_user(floor, request))


def _max_builder_fee(floor: Floor, request: InfoRequest, _: int) -> object:
    account = _user(floor, request)
    if request.builder is None:
        raise UnknownRequest
    return account.builders.get(parse_address(request.builder), 0)


def _sub_accounts(floor: Floor, request: InfoRequest, now_ms: int) -> object:
    account = _user(floor, request)
    every_dex = request.type == "subAccounts2"
    return standing.sub_accounts(floor, account, now_ms, every_dex=every_dex)


def _since(floor: Floor, request: InfoRequest, _: int) -> object:
    """Rows of an account's history in a range of time, oldest first."""
    account = _user(floor, request)
    rows = account.fundings if request.type == "userFunding" else account.ledger
    return standing.in_range(rows, request.start_time or 0, request.end_time)


def _funding_history(floor: Floor, request: InfoRequest, _: int) -> object:
    coin = _coin(floor, request)
    if request.start_time is None:
        raise UnknownRequest
    history = floor.tallies[coin].funding if coin is not None else []
    return standing.in_range(history, request.start_time, request.end_time)


def _abstraction(floor: Floor, request: InfoRequest, _: int) -> object:
    return _user(floor, request).abstraction


def _dex_abstraction(floor: Floor, request: InfoRequest, _: int) -> object:
    """The older question: True, or null where it was never switched on."""
    return True if _user(floor, request).abstraction == "dexAbstraction" else None


def _of_user(value: object) -> Answer:
    """The same answer for every address, if one is named."""

    def answerer(floor: Floor, request: InfoRequest, _: int) -> object:
        _user(floor, request)
        return value

    return answerer


_ANSWERS: Final[Mapping[str, Answer]] = {
    "meta": _meta,
    "metaAndAssetCtxs": _meta_and_ctxs,
    "allPerpMetas": lambda floor, _request, _now: [
        markets.meta(floor, dex) for dex in floor.universe.dexes
    ],
    "perpDexs": lambda floor, _request, _now: markets.perp_dexs(floor),
    "perpDexLimits": _perp_dex_limits,
    "perpDexStatus": _dex_status,
    "perpsAtOpenInterestCap": _at_cap,
    "predictedFundings": lambda floor, _request, now_ms: markets.predicted_fundings(floor, now_ms),
    "portfolio": lambda floor, request, now_ms: standing.portfolio(
        floor, _user(floor, request), now_ms
    ),
    "perpConciseAnnotations": lambda _floor, _request, _now: [],
    "marginTable": _margin_table,
    "exchangeStatus": lambda floor, _request, now_ms: {
        "time": now_ms,
        "specialStatuses": ["postOnly"] if floor.post_only else None,
    },
    "spotMeta": lambda _floor, _request, _now: spot.spot_meta(),
    "spotMetaAndAssetCtxs": lambda _floor, _request, _now: spot.spot_meta_and_ctxs(),
    "outcomeMeta": lambda _floor, _request, _now: {"outcomes": [], "questions": []},
    "allMids": _all_mids,
    "l2Book": _l2_book,
    "recentTrades": _recent_trades,
    "clearinghouseState": _clearing_state,
    "spotClearinghouseState": _spot_state,
    "openOrders": _open_orders,
    "frontendOpenOrders": _open_orders,
    "orderStatus": _order_status,
    "historicalOrders": lambda floor, request, _now: accounts.historical_orders(
        _user(floor, request)
    ),
    "userFills": lambda floor, request, _now: fills.user_fills(
        _user(floor, request), aggregated=bool(request.aggregate_by_time)
    ),
    "userFillsByTime": _user_fills_by_time,
    "userRateLimit": lambda floor, request, _now: accounts.user_rate_limit(
        floor, _user(floor, request)
    ),
    "userFees": lambda floor, request, _now: user_fees(floor, _user(floor, request)),
    "userRole": _user_role,
    "extraAgents": lambda floor, request, _now: extra_agents(floor, _user(floor, request)),
    "subAccounts": _sub_accounts,
    "subAccounts2": _sub_accounts,
    "userFunding": _since,
    "fundingHistory": _funding_history,
    "userNonFundingLedgerUpdates": _since,
    "activeAssetData": _active_asset_data,
    "userAbstraction": _abstraction,
    "userDexAbstraction": _dex_abstraction,
    "maxBuilderFee": _max_builder_fee,
    "approvedBuilders": lambda floor, request, _now: list(_user(floor, request).builders),
    "perpDeployAuctionStatus": lambda _floor, _request, now_ms: sundry.auction(now_ms),
    "spotPairDeployAuctionStatus": lambda _floor, _request, now_ms: sundry.auction(now_ms),
    "tokenDetails": lambda _floor, request, _now: sundry.token_details(request.token_id),
    "preTransferCheck": lambda floor, request, _now: sundry.transfer_check(
        floor, _user(floor, request)
    ),
    "referral": lambda floor, request, _now: sundry.referral(_user(floor, request)),
    "perpAnnotation": lambda _floor, _request, _now: None,
    "perpCategories": lambda _floor, _request, _now: [],
    **{kind: _of_user(value) for kind, value in sundry.OF_USER.items()},
}
