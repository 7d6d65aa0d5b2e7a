"""One WebSocket client's conversation: subscriptions, posts, pings, and the venue's complaints."""

import asyncio
from typing import Final

import msgspec

from agents.sim.outputs import UnknownRequest
from fleet.venue.connection import Connection
from fleet.venue.feeds import frame
from fleet.venue.limits import MESSAGES_MAX
from fleet.venue.refusals import AnswerLost, TurnedAway
from fleet.venue.subscriptions import Invalid, Json, NotARequest, parse
from fleet.venue.venue import Venue

POSTS_MAX: Final = 100
TOO_MANY: Final = f"Cannot send more than {MESSAGES_MAX} messages per minute."
PONG: Final = b'{"channel":"pong"}'


class Session:
    """Reads what one client sends. Never raises for what a client sent."""

    def __init__(self, venue: Venue, connection: Connection) -> None:
        self._venue = venue
        self._connection = connection
        self._posts: set[asyncio.Task[None]] = set()

    def receive(self, raw: str | bytes) -> None:
        """One message of the client."""
        try:
            self._venue.hear(self._connection.ip)
            message = msgspec.json.decode(raw)
            if not isinstance(message, dict):
                raise NotARequest
            match message.get("method"):
                case "ping":
                    self._connection.send(PONG)
                case "subscribe":
                    self._subscribe(message.get("subscription"))
                case "unsubscribe":
                    self._unsubscribe(message.get("subscription"))
                case "post":
                    self._post(message, raw)
                case _:
                    raise NotARequest
        except (msgspec.DecodeError, RecursionError, NotARequest):
            self._unparsed(raw)
        except TurnedAway:
            self._complain(TOO_MANY)
        except Invalid as invalid:
            self._complain(f"Invalid subscription {_text(invalid.args[0])}")

    def close(self) -> None:
        """The client is gone. Actions it sent run on; their answers have nowhere to go."""
        self._connection.closed = True
        self._venue.hub.leave(self._connection)

    def _subscribe(self, subscription: object) -> None:
        key, canonical = parse(subscription, self._venue.universe)
        limited = self._venue.hub.refusal(key, self._connection, by_ip=self._venue.limited)
        if limited is not None:
            self._complain(limited)
        elif not self._venue.subscribe(key, self._connection, canonical):
            self._complain(f"Already subscribed: {_text(canonical)}")

    def _unsubscribe(self, subscription: object) -> None:
        key, canonical = parse(subscription, self._venue.universe)
        if not self._venue.unsubscribe(key, self._connection, canonical):
            self._complain(f"Already unsubscribed: {_text(canonical)}")

    def _post(self, message: Json, raw: str | bytes) -> None:
        number, request = message.get("id"), message.get("request")
        if not isinstance(number, int) or not isinstance(request, dict):
            raise NotARequest
        kind, payload = request.get("type"), request.get("payload")
        if kind not in ("action", "info") or not isinstance(payload, dict):
            raise NotARequest
        if len(self._posts) >= POSTS_MAX:
            self._complain(f"too many pending post requests id={number}")
            return
        answering = self._info if kind == "info" else self._act
        task = asyncio.get_running_loop().create_task(answering(number, payload, raw))
        self._posts.add(task)
        task.add_done_callback(self._posts.discard)

    async def _info(self, number: int, payload: Json, raw: str | bytes) -> None:
        try:
            data = await self._venue.info(payload, self._connection.ip)
        except UnknownRequest:
            self._unparsed(raw)
        except TurnedAway as away:
            self._answer(number, "error", away.reason)
        else:
            self._answer(number, "info", {"type": payload["type"], "data": data})

    async def _act(self, number: int, payload: Json, raw: str | bytes) -> None:
        try:
            answer = await self._venue.act(payload, self._connection.ip)
        except UnknownRequest:
            self._unparsed(raw)
        except TurnedAway as away:
            self._answer(number, "error", away.reason)
        except AnswerLost:
            return
        else:
            self._answer(number, "action", answer)

    def _answer(self, number: int, kind: str, payload: object) -> None:
        data = {"id": number, "response": {"type": kind, "payload": payload}}
        self._connection.send(frame("post", data))

    def _unparsed(self, raw: str | bytes) -> None:
        text = raw if isinstance(raw, str) else raw.decode(errors="replace")
        self._complain(f"Error parsing JSON into valid websocket request: {text}")

    def _complain(self, text: str) -> None:
        self._venue.complaints += 1
        self._connection.send(frame("error", text))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
