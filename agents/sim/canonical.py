"""What an action's hash is made of: the venue writes it anew, and hashes that, not what was sent.

Keys keep the order received; but a number written otherwise than the venue writes it (``100.0``),
an explicit null, a flag that is false, or an address with capitals is hashed in the venue's own
form. A client that signs its own recovers to a stranger, here as there. Source: protocol 4.1.
"""

from collections.abc import Mapping
from typing import Final

_NUMBERS: Final = frozenset({"p", "s", "triggerPx"})
_ADDRESSES: Final = frozenset({"destination", "subAccountUser", "vaultAddress", "fromSubAccount"})
_LEFT_OUT: Final = frozenset({"f", "a"})
"""Flags of a cancel or modify that are only written where they are true."""


def canonical(action: Mapping[str, object]) -> dict[str, object]:
    """The L1 action as the venue would write it; its shape was checked before."""
    return {
        key: _value(key, value)
        for key, value in action.items()
        if value is not None and not (value is False and key in _LEFT_OUT)
    }


def _value(key: str, value: object) -> object:
    if isinstance(value, str):
        return _text(key, value)
    if isinstance(value, dict):
        if key == "builder":
            return value | {"b": str(value["b"]).lower()}
        return canonical(value)
    if isinstance(value, list):
        return [canonical(each) if isinstance(each, dict) else each for each in value]
    return value


def _text(key: str, value: str) -> str:
    if key in _NUMBERS and "." in value:
        return value.rstrip("0").rstrip(".")
    return value.lower() if key in _ADDRESSES else value
