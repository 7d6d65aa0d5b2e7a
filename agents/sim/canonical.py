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
    found: dict[str, object] = {}
    for key, value in action.items():
        if isinstance(value, str):
            if key in _NUMBERS:
                found[key] = value.rstrip("0").rstrip(".") if "." in value else value
            else:
                found[key] = value.lower() if key in _ADDRESSES else value
        elif isinstance(value, dict):
            builder = key == "builder"
            found[key] = value | {"b": str(value["b"]).lower()} if builder else canonical(value)
        elif isinstance(value, list):
            found[key] = [canonical(each) if isinstance(each, dict) else each for each in value]
        elif value is not None and not (value is False and key in _LEFT_OUT):
            found[key] = value
    return found
