"""Where the shape of one JSON value differs from another's: keys, types, formats of numbers."""

import re
from collections.abc import Iterator
from typing import Any

NUMBER = re.compile(r"-?\d+\.\d+")
HEX = re.compile(r"0x[0-9a-f]+")
# Left out where they say nothing, or given up by the venue since a recording was made.
OPTIONAL = {
    "cloid",
    "twapId",
    "builderFee",
    "liquidation",
    "reduceOnly",
    "isDelisted",
    "onlyIsolated",
    "marginMode",
    "growthMode",
    "maxTradeSzs",
    "deployerFeeScale",
    "lastDeployerFeeScaleChangeTime",
    "evmEscrows",
    "abstraction",
    "description",
    "leadingVaults",
    "perpsAtOpenInterestCap",
    "optOutOfSpotDusting",
    "dexAbstractionEnabled",
}
# Added by the venue since the older recordings (2023 to spring 2026) were made.
NEWER = {
    "marginTableId",
    "marginTables",
    "collateralToken",
    "isDelisted",
    "onlyIsolated",
    "marginMode",
    "growthMode",
    "deployerFeeScale",
    "lastFeeScaleChangeTime",
    "origSz",
    "reduceOnly",
    "cloid",
    "tid",
    "feeToken",
    "fee",
    "twapId",
    "children",
    "tif",
    "cumFunding",
    "maxLeverage",
    "time",
    "withdrawable",
    "crossMaintenanceMarginUsed",
    "dayBaseVlm",
    "impactPxs",
    "nRequestsSurplus",
    "tokenToAvailableAfterMaintenance",
    "evmContract",
    "fullName",
    "deployerTradingFeeShare",
    "fast",
    "hash",
    "users",
    "n",
    "spotState",
    "nonce",
    "rawUsd",
    "isSnapshot",
    "statusTimestamp",
    "premium",
    "nSamples",
    "aggregateByTime",
    "dex",
    "spread",
}


def differences(recorded: Any, ours: Any, where: str = "") -> Iterator[str]:
    """Each place where the shape is another. Rows of a list are taken together."""
    if recorded is None or ours is None:
        return
    if type(recorded) is not type(ours):
        yield f"{where}: {type(recorded).__name__} became {type(ours).__name__}"
    elif isinstance(recorded, dict):
        yield from _of_objects(recorded, ours, where)
    elif isinstance(recorded, list):
        yield from _of_lists(recorded, ours, where)
    elif isinstance(recorded, str):
        for form, name in ((NUMBER, "number"), (HEX, "hex number")):
            if form.fullmatch(recorded) and not form.fullmatch(ours):
                yield f"{where}: a {name} such as {recorded} became {ours}"


def _of_objects(recorded: dict[str, Any], ours: dict[str, Any], where: str) -> Iterator[str]:
    if _by_coin(recorded) and _by_coin(ours):
        recorded, ours = ({"*": next(iter(each.values()))} for each in (recorded, ours))
    missing, added = recorded.keys() - ours.keys(), ours.keys() - recorded.keys()
    if missing - OPTIONAL:
        yield f"{where}: lacks {sorted(missing - OPTIONAL)}"
    if added - NEWER - OPTIONAL:
        yield f"{where}: has {sorted(added - NEWER - OPTIONAL)} besides"
    for key in recorded.keys() & ours.keys():
        yield from differences(recorded[key], ours[key], f"{where}.{key}")


def _of_lists(recorded: list[Any], ours: list[Any], where: str) -> Iterator[str]:
    if not recorded or not ours:
        return
    if all(isinstance(each, dict) for each in (*recorded, *ours)):
        kept, found = _kinds(recorded), _kinds(ours)
        for kind in kept.keys() & found.keys():
            yield from differences(kept[kind], found[kind], f"{where}[]")
    elif len({type(each) for each in recorded}) == 1:
        yield from differences(recorded[0], ours[0], f"{where}[]")
    else:
        for at, (one, other) in enumerate(zip(recorded, ours, strict=False)):
            yield from differences(one, other, f"{where}[{at}]")


def _kinds(rows: list[Any]) -> dict[str, dict[str, Any]]:
    """All rows as one, apart where a ``type`` tells of different things."""
    merged: dict[str, dict[str, Any]] = {}
    for row in rows:
        delta = row.get("delta", row)
        kind = str(delta.get("type", "")) if isinstance(delta, dict) else ""
        merged[kind] = _together(merged.get(kind, {}), row)
    return merged


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """All keys of both; where both have a value the first counts."""
    found = dict(one)
    for key, value in other.items():
        known = found.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            found[key] = _together(known, value)
        elif known is None:
            found[key] = value
    return found


def _by_coin(value: dict[str, Any]) -> bool:
    """Whether the keys are names of markets rather than of fields."""
    return bool(value) and all(
        ":" in key or key[0].isupper() or key[0] in "@#k0123456789" for key in value
    )
