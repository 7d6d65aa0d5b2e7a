"""What is hashed is the venue's own writing of an action."""

from typing import Any

import pytest

from agents.sim.canonical import canonical

ORDER: dict[str, Any] = {"a": 0, "b": True, "p": "100", "s": "0.1", "r": False}
LIMIT: dict[str, Any] = {"t": {"limit": {"tif": "Gtc"}}}


def batch(**keys: Any) -> dict[str, Any]:
    return {"type": "order", "orders": [ORDER | LIMIT | keys], "grouping": "na"}


def test_what_is_written_as_the_venue_writes_it_stays_as_it_is() -> None:
    trigger = {"trigger": {"isMarket": False, "triggerPx": "103.5", "tpsl": "tp"}}
    actions: list[dict[str, Any]] = [
        batch(t=trigger, c="0x" + "0" * 31 + "1"),
        {"type": "cancel", "cancels": [{"a": 0, "o": 5}], "f": True},
        {"type": "noop"},
        {"type": "updateIsolatedMargin", "asset": 0, "isBuy": False, "ntli": -5},
    ]
    for action in actions:
        assert canonical(action) == action
        assert [*canonical(action)] == [*action]


@pytest.mark.parametrize(
    ("sent", "hashed"),
    [
        (batch(p="100.0"), batch()),
        (batch(s="0.10"), batch()),
        (batch(c=None), batch()),
        (batch() | {"builder": None}, batch()),
        (
            batch() | {"builder": {"b": "0xAB", "f": 1}},
            batch() | {"builder": {"b": "0xab", "f": 1}},
        ),
        (
            {"type": "cancel", "cancels": [{"a": 0, "o": 5}], "f": False},
            {"type": "cancel", "cancels": [{"a": 0, "o": 5}]},
        ),
        ({"type": "scheduleCancel", "time": None}, {"type": "scheduleCancel"}),
        (
            {"type": "agentSendAsset", "destination": "0xAB", "sourceDex": ""},
            {"type": "agentSendAsset", "destination": "0xab", "sourceDex": ""},
        ),
    ],
)
def test_other_writings_are_hashed_in_the_venues(
    sent: dict[str, Any], hashed: dict[str, Any]
) -> None:
    assert canonical(sent) == hashed
