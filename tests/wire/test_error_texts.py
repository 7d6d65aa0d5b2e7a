"""Every error text of the catalogue is given verbatim in its situation, or cannot occur here."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.sim.outputs import UnknownRequest
from fleet.venue.refusals import TurnedAway
from tests.unit.fleet.venue.rig import ADDRESS, INSTANT, Client, Rig
from tests.wire.error_situations import IMPOSSIBLE, SITUATIONS

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def catalogue(shared: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared / "fixtures/errors.json").read_text())[
        "errors"
    ]
    return found


def pattern(entry: dict[str, Any]) -> re.Pattern[str]:
    """The text, anything in the place of a name in braces; the asset behind it where one comes."""
    parts = re.split(r"\{[^}]*\}", entry["text"])
    suffix = r" asset=\d+" if entry["asset_suffix"] else ""
    return re.compile("(.+)".join(map(re.escape, parts)) + suffix)


def test_every_text_answered_by_the_exchange_has_its_situation(
    catalogue: list[dict[str, Any]],
) -> None:
    answered = {entry["text"] for entry in catalogue} - set(DOOR)
    assert answered == SITUATIONS.keys() | IMPOSSIBLE.keys()
    assert not SITUATIONS.keys() & IMPOSSIBLE.keys()


@pytest.mark.parametrize("text", SITUATIONS)
def test_a_text_is_given_verbatim(text: str, catalogue: list[dict[str, Any]]) -> None:
    given = SITUATIONS[text]()
    entries = [entry for entry in catalogue if entry["text"] == text]
    assert entries
    assert any(pattern(entry).fullmatch(given) for entry in entries), given


async def _signature() -> str:
    rig = Rig()
    body = rig.body({"type": "noop"})
    body["signature"] = {"r": "0x" + "f" * 64, "s": "0x1", "v": 27}
    return str((await rig.venue.act(body))["response"])


async def _shape() -> str:
    with pytest.raises(UnknownRequest) as caught:
        await Rig().venue.info({"type": "bogus"})
    return f"422 text/plain: {caught.value}"


async def _weight() -> str:
    rig = Rig(msgspec.structs.replace(INSTANT, limits="on"))
    for _ in range(100):
        try:
            await rig.venue.info({"type": "userRole", "user": ADDRESS})
        except TurnedAway as away:
            return f"{away.code} body: null"
    return "never turned away"


def _said(*messages: object) -> str:
    client: Client = Rig().client()
    for message in messages:
        client.raw(message) if isinstance(message, str) else client.say(message)
    return str(client.of("error")[-1])


def _method(name: str, **subscription: object) -> dict[str, object]:
    return {"method": name, "subscription": subscription}


BTC_TRADES = {"type": "trades", "coin": "BTC"}


async def _twice() -> str:
    return _said(_method("subscribe", **BTC_TRADES), _method("subscribe", **BTC_TRADES))


async def _never() -> str:
    return _said(_method("unsubscribe", **BTC_TRADES))


async def _unlisted() -> str:
    return _said(_method("subscribe", type="trades", coin="NOPE"))


async def _garbled() -> str:
    return _said('{"method": "subscribe"')


async def _users() -> str:
    return _said(
        *(_method("subscribe", type="userFills", user=f"0x{n:040x}") for n in range(1, 17))
    )


async def _posts() -> str:
    post = {"type": "info", "payload": {"type": "meta"}}
    return _said(*({"method": "post", "id": n, "request": post} for n in range(102)))


DOOR = {
    "Unable to recover signer.": _signature,
    "422 text/plain: Failed to deserialize the JSON body into the target type": _shape,
    "429 body: null": _weight,
    "Already subscribed: {canonical subscription JSON}": _twice,
    "Already unsubscribed: {canonical subscription JSON}": _never,
    "Invalid subscription {canonical subscription JSON}": _unlisted,
    "Error parsing JSON into valid websocket request: {raw request}": _garbled,
    "Cannot track more than 10 total users.": _users,
    "too many pending post requests id={id}": _posts,
}


@pytest.mark.parametrize("text", DOOR)
async def test_a_text_of_the_door_is_given_verbatim(
    text: str, catalogue: list[dict[str, Any]]
) -> None:
    (entry,) = [entry for entry in catalogue if entry["text"] == text]
    given = await DOOR[text]()
    assert pattern(entry).fullmatch(given), given
