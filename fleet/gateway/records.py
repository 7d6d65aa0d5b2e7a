"""The action log's records: what the gateway writes before anything leaves, and the ledger reads.

On disk a record is ``u32 length, u32 crc32, msgpack [seq, wall_ns, kind, body]``, little-endian,
appended with one ``os.write``; ``kind`` is the tag of one of these bodies. Market data is written
at most once a second a market and at each fill, so that the ledger needs no feed.
"""

from decimal import Decimal

import msgspec

from agents.market.types import Fill


class _Body(msgspec.Struct, frozen=True, tag_field="kind"):
    """Base of the bodies."""


class Sent(_Body, frozen=True, tag="sent"):
    """An action about to leave, under its nonce. ``action`` is its JSON text."""

    nonce: int
    market: str
    generation: int
    action: str


class Answered(_Body, frozen=True, tag="answered"):
    """The venue's answer to a nonce, as JSON text."""

    nonce: int
    answer: str


class Refused(_Body, frozen=True, tag="refused"):
    """A request turned away at the door."""

    market: str
    generation: int
    reason: str


class Filled(_Body, frozen=True, tag="filled"):
    """A fill of the account. ``ours``: its cloid is this fleet's; else foreign."""

    fill: Fill
    ours: bool
    mid_px: float | None


class OrderSeen(_Body, frozen=True, tag="order"):
    """A row of orderUpdates."""

    market: str
    oid: int
    cloid: str | None
    status: str
    status_ms: int


class Funding(_Body, frozen=True, tag="funding"):
    """A funding payment as received (negative: paid), in the DEX's token."""

    market: str
    time_ms: int
    usdc: Decimal
    szi: Decimal
    rate: Decimal


class Equity(_Body, frozen=True, tag="equity"):
    """One DEX's account frame: equity and raw balance in its token at the frame's time.

    ``token_mark_usd``: what the token was worth then; None: not known.
    """

    dex: str
    token: str
    as_of_ms: int
    account_value: Decimal
    raw_usd: Decimal
    margin_used: Decimal
    token_mark_usd: float | None = None


class Moved(_Body, frozen=True, tag="moved"):
    """Money that came to a DEX (negative: left it) other than by trades and funding.

    ``what``: the venue's word for it. ``amount`` None: a kind that is not known here.
    """

    what: str
    dex: str
    token: str
    time_ms: int
    hash: str
    amount: Decimal | None


class MarketSeen(_Body, frozen=True, tag="bbo"):
    """The touch and the mark of one market."""

    market: str
    venue_ms: int
    bid_px: float | None
    ask_px: float | None
    mark_px: float | None


class LeaseIssued(_Body, frozen=True, tag="lease"):
    market: str
    generation: int
    pid: int


class LeaseEnded(_Body, frozen=True, tag="lease_end"):
    market: str
    generation: int
    reason: str


class LatchSet(_Body, frozen=True, tag="halt"):
    reason: str
    by: str


class LatchLifted(_Body, frozen=True, tag="resume"):
    reason: str
    by: str


class Said(_Body, frozen=True, tag="said"):
    """A person's word for a market, told past the supervisor, which writes down its own."""

    market: str
    verb: str
    by: str
    outcome: str


class Carried(_Body, frozen=True, tag="carried"):
    """What a segment takes over from those before it: a gateway that starts reads only two.

    ``nonce``: the last one given. ``fills``: the newest that are booked (time, coin, tid, oid);
    ``fundings``: likewise (time, coin). ``day``: the UTC day that ``day_usd`` is of.
    """

    nonce: int
    last_fill_ms: int
    day: int
    day_usd: dict[str, float]
    fills: tuple[tuple[int, str, int, int], ...]
    fundings: tuple[tuple[int, str], ...]


class LinkSeen(_Body, frozen=True, tag="link"):
    state: str


class Alerted(_Body, frozen=True, tag="alert"):
    """What a person has to know; the ledger's process sends it on. ``market`` empty: the fleet."""

    severity: str
    event: str
    text: str
    market: str = ""


Body = (
    Sent
    | Answered
    | Refused
    | Filled
    | OrderSeen
    | Funding
    | Moved
    | Equity
    | MarketSeen
    | LeaseIssued
    | LeaseEnded
    | LatchSet
    | LatchLifted
    | LinkSeen
    | Said
    | Alerted
    | Carried
)
