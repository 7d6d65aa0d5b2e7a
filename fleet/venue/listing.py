"""The listing that goes with a recording: its coins, on the grid that the venue lists them with."""

from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Final

import msgspec

from agents.market.types import Coin
from agents.sim.tape import BboRow, BookRow, Tape, TapeError, TapeFrame
from agents.sim.universe import AssetSpec, Universe

SAMPLE_FRAMES: Final = 2_000
_FOREVER_NS: Final = 1 << 62


def tape_universe(path: Path, listed: Universe) -> Universe:
    """``listed`` reduced to the coins of the recording; asset ids count these alone.

    Prices start where the recording does. A coin that ``listed`` does not know joins its DEX, with
    the decimals that its recorded sizes have. Raises TapeError if nothing can be made of it.
    """
    tape = Tape(path)
    sample = _sample(tape)
    coins = [coin for coin in tape.header.coins if coin in sample]
    if not coins:
        raise TapeError(f"{path}: no book, touch or trade of {', '.join(tape.header.coins)}")
    dexes = []
    for dex in listed.dexes:
        assets = tuple(
            _asset(coin, sample[coin], listed) for coin in coins if _dex(coin) == dex.name
        )
        dexes.append(msgspec.structs.replace(dex, assets=assets))
    missing = [coin for coin in coins if _dex(coin) not in listed.by_dex]
    if missing:
        raise TapeError(f"{path}: {', '.join(missing)}: of a DEX that the venue does not list")
    return Universe(dexes)


def _dex(coin: str) -> str:
    return coin.rpartition(":")[0]


def _asset(coin: Coin, values: list[tuple[Decimal, Decimal]], listed: Universe) -> AssetSpec:
    px = values[0][0]
    known = listed.listings.get(coin)
    if known is not None:
        return msgspec.structs.replace(known.spec, start_px=px)
    exponents = [int(sz.normalize().as_tuple().exponent) for _, sz in values]
    return AssetSpec(name=coin, sz_decimals=max(0, -min(exponents)), leverage_max=5, start_px=px)


def _sample(tape: Tape) -> dict[Coin, list[tuple[Decimal, Decimal]]]:
    """Prices and sizes of each coin in the first frames; books and touches before trades."""
    found: dict[Coin, list[tuple[Decimal, Decimal]]] = {}
    # The first call starts the tape at time 0; the second finds all the rest due.
    frames = chain(list(tape.due(0)), tape.due(_FOREVER_NS))
    for frame in islice(frames, SAMPLE_FRAMES):
        if isinstance(frame, TapeFrame):
            found.setdefault(frame.coin, []).extend(_values(frame))
    return {coin: values for coin, values in found.items() if values}


def _values(frame: TapeFrame) -> list[tuple[Decimal, Decimal]]:
    match frame.data:
        case BookRow(levels=(bids, asks)):
            return [(row.px, row.sz) for row in (*bids, *asks)]
        case BboRow(bbo=touches):
            return [(row.px, row.sz) for row in touches if row is not None]
        case rows:
            return [(row.px, row.sz) for row in rows]
