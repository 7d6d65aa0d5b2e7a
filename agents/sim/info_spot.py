"""``/info`` about spot: pairs are listed, as clients look for them at their start; none trades."""

from collections.abc import Mapping
from typing import Final

from agents.sim import rows
from agents.sim.universe import TOKEN_INDEX

PX: Final = "1.0"
_COLLATERAL_PAIRS: Final = {"USDE": 150, "USDH": 230, "USDT0": 166}
_OTHER_TOKENS: Final = {"PURR": 1, "HFUN": 2}
COINS: Final[Mapping[str, tuple[str, int]]] = {
    "PURR/USDC": ("PURR", 0),
    "@1": ("HFUN", 1),
    **{f"@{index}": (token, index) for token, index in _COLLATERAL_PAIRS.items()},
}
"""Base token and index of each pair by its name; only the first has one that is no index."""
_TOKENS: Final[Mapping[str, int]] = {**TOKEN_INDEX, **_OTHER_TOKENS}


def spot_meta() -> rows.Row:
    """The collateral tokens, each with its pair against USDC, and the two pairs listed first."""
    pairs = [
        {
            "tokens": [_TOKENS[token], 0],
            "name": name,
            "index": index,
            "isCanonical": not name.startswith("@"),
        }
        for name, (token, index) in COINS.items()
    ]
    tokens = sorted(_TOKENS, key=_TOKENS.__getitem__)
    return {"universe": pairs, "tokens": [_token_row(name) for name in tokens]}


def _token_row(name: str) -> rows.Row:
    return {
        "name": name,
        "szDecimals": sz_decimals(name),
        "weiDecimals": 8,
        "index": _TOKENS[name],
        "tokenId": token_id(name),
        "isCanonical": True,
        "evmContract": None,
        "fullName": None,
        "deployerTradingFeeShare": "0.0",
    }


def sz_decimals(token: str) -> int:
    return {"USDC": 8, "PURR": 0}.get(token, 2)


def token_id(name: str) -> str:
    """The 128-bit id by which transfers name a token."""
    if name == "USDC":
        return "0x6d1e7cde53ba9467b783cb7c530ce054"
    return rows.pseudo_address(name)[:34]


def spot_meta_and_ctxs() -> list[object]:
    return [spot_meta(), spot_ctxs()]


def spot_ctxs() -> list[rows.Row]:
    """Contexts of the pairs: all are worth 1."""
    return [spot_ctx(coin) for coin in COINS]


def spot_ctx(coin: str) -> rows.Row:
    return {
        "prevDayPx": PX,
        "dayNtlVlm": "0.0",
        "markPx": PX,
        "midPx": PX,
        "circulatingSupply": "0.0",
        "coin": coin,
        "totalSupply": "0.0",
        "dayBaseVlm": "0.0",
    }


def book(coin: str, now_ms: int) -> rows.Row:
    return {"coin": coin, "time": now_ms, "levels": [[], []]}


def bbo(coin: str, now_ms: int) -> rows.Row:
    return {"coin": coin, "time": now_ms, "bbo": [None, None]}
