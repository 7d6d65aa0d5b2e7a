"""What the core asks of its shell, to be carried out in the order given."""

from typing import Literal

import msgspec

from agents.exchange.wire import Action
from fleet.gateway.api import LatchView
from fleet.gateway.records import Body


class Effect(msgspec.Struct, frozen=True, gc=False):
    """Base of the effects."""


class Tell(Effect, frozen=True, gc=False):
    """A frame for one agent. ``slot``: a newer frame may take the place of a waiting one."""

    session: int
    data: bytes
    slot: str | None = None


class Cut(Effect, frozen=True, gc=False):
    """End a connection once what is queued for it is out."""

    session: int


class Submit(Effect, frozen=True, gc=False):
    """Log, sign and send an action. ``placement``: the latch file is looked at before.

    ``closing``: a placement that only reduces, by the caretaker: it passes the latch (I2).
    """

    request: int
    action: Action
    nonce: int
    expires_ms: int | None
    market: str
    generation: int
    placement: bool
    closing: bool = False


class Ask(Effect, frozen=True, gc=False):
    """An /info request of our own."""

    request: int
    payload: dict[str, object]


class Record(Effect, frozen=True, gc=False):
    """Append to the action log."""

    body: Body


class KeepLeases(Effect, frozen=True, gc=False):
    """Make ``leases.json`` durable before anything that follows.

    ``session``: it gets a new lease; if the file can't be written it is refused instead, and
    nothing that follows is carried out.
    """

    session: int | None = None


class KeepMarket(Effect, frozen=True, gc=False):
    """Make a market's settings, limit, pause and fences durable; ``gone``: remove them."""

    market: str
    gone: bool = False


class KeepCaps(Effect, frozen=True, gc=False):
    """Make the fleet's caps durable."""


class Watch(Effect, frozen=True, gc=False):
    """Subscribe upstream (``on``) or unsubscribe."""

    subscription: dict[str, object]
    on: bool = True


class KeepPurse(Effect, frozen=True, gc=False):
    """Make what is spent on requests durable before anything that follows."""


class WriteLatch(Effect, frozen=True, gc=False):
    """Make the latch durable (None: lift it) before anything that follows."""

    latch: LatchView | None


class Alert(Effect, frozen=True, gc=False):
    """Tell a person: one line in the log, and a record that the ledger's process sends on.

    ``event``: halt, orphan, caretaker, second_controller, link, files, drift, kill, protect.
    ``market`` empty: the fleet.
    """

    severity: Literal["info", "warning", "critical"]
    event: str
    text: str
    market: str = ""


class Reply(Effect, frozen=True, gc=False):
    """The venue's answer to an account action, for whoever asked over HTTP."""

    request: int
    data: bytes
