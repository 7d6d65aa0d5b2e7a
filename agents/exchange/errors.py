"""How the exchange can fail us, sorted by one question: did it happen?

ExchangeError
├── NotSent              it did not    never left, or was turned away at the door
│   ├── RateLimited                    may go again after retry_after_s
│   ├── Unreachable                    no connection
│   └── BadRequest                     the venue could not read it: our mistake
├── Rejected             it did not    the exchange answered: no
│   ├── PostOnlyCrossed                an Alo order would have taken: requote
│   ├── InsufficientMargin             stop adding, keep reducing
│   ├── UnknownOrder                   nothing rests under this id
│   └── …                              one class for each answer that calls for its own reaction
├── OutcomeUnknown       perhaps       sent, no readable answer: ask by cloid, never resend blind
├── MalformedFrame                     what arrived is not the venue's protocol
└── BadSignature                       no signer can be recovered from it
"""

from typing import ClassVar, Final

RETRY_AFTER_S: Final = 10.0
"""The venue names no time: at 1200 weight a minute this refills 200 (protocol 8.1)."""


class ExchangeError(Exception):
    """Raised by ``agents.exchange`` alone; the library's own error rides along as the cause."""

    may_have_happened: ClassVar[bool] = False


class NotSent(ExchangeError):
    """It never left, or was turned away at the door."""


class RateLimited(NotSent):
    """The venue's limit on this IP; may go again after ``retry_after_s``."""

    def __init__(self, message: str, *, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreachable(NotSent):
    """No connection, so nothing left."""


class BadRequest(NotSent):
    """The venue could not read the request (400, 404, 415, 422): its shape is wrong."""


class Rejected(ExchangeError):
    """The exchange read it and answered: no."""


class PostOnlyCrossed(Rejected):
    """A post-only order would have taken."""


class InsufficientMargin(Rejected):
    """Not enough free margin for this order."""


class UnknownOrder(Rejected):
    """Nothing rests under this id: never placed, cancelled already, or filled."""


class ReduceOnlyRefused(Rejected):
    """A reduce-only order would not have reduced: our position is not what we think."""


class NoLiquidity(Rejected):
    """An IOC order found nothing to match."""


class InvalidOrder(Rejected):
    """Price, size or value off the venue's rules."""


class TradingHalted(Rejected):
    """The market is halted or delisted."""


class OpenInterestCapped(Rejected):
    """The market's or the DEX's open interest is at its cap: only reducing passes."""


class TooManyOpenOrders(Rejected):
    """The account's limit on open orders."""


class AllowanceExhausted(Rejected):
    """The account's lifetime allowance of requests is spent (protocol 8.2)."""


class DuplicateNonce(Rejected):
    """The venue has processed an action with this nonce already."""


class NonceTooLow(Rejected):
    """Below the nonces the venue keeps for this signer."""


class ActionExpired(Rejected):
    """It arrived after its ``expiresAfter``."""


class SignerUnknown(Rejected):
    """The venue knows no such account or API wallet, or a wrong hash was signed."""


class OutcomeUnknown(ExchangeError):
    """Sent, and no readable answer came: it may have happened."""

    may_have_happened: ClassVar[bool] = True


class MalformedFrame(ExchangeError):
    """What arrived is not the venue's protocol: not JSON, a wrong type, NaN, a price below zero."""


class BadSignature(ExchangeError):
    """No signer can be recovered: r, s, v or the action are not of the right form."""


# The venue appends `` asset=<id>`` to texts about one order, so these are prefixes (protocol 3.9).
_BY_PREFIX: Final[tuple[tuple[str, type[Rejected]], ...]] = (
    ("Post only order would have immediately matched", PostOnlyCrossed),
    ("Insufficient margin to place order", InsufficientMargin),
    ("Insufficient spot balance", InsufficientMargin),
    ("Order would cause position to exceed margin tier limit", InsufficientMargin),
    ("Order was never placed, already canceled, or filled", UnknownOrder),
    ("Cannot modify canceled or filled order", UnknownOrder),
    ("Reduce only order would increase position", ReduceOnlyRefused),
    ("Order could not immediately match", NoLiquidity),
    ("No liquidity available", NoLiquidity),
    ("Order must have minimum value", InvalidOrder),
    ("Price must be divisible by tick size", InvalidOrder),
    ("Order has invalid price", InvalidOrder),
    ("Order has invalid size", InvalidOrder),
    ("Order has zero size", InvalidOrder),
    ("Order price cannot be more than", InvalidOrder),
    ("Order price too far from oracle", InvalidOrder),
    ("Order value too large", InvalidOrder),
    ("Trading is halted", TradingHalted),
    ("Order would increase open interest", OpenInterestCapped),
    ("Order rejected due to price more aggressive than oracle", OpenInterestCapped),
    ("Cannot increase position when open interest", OpenInterestCapped),
    ("Perp DEX open interest is at cap", OpenInterestCapped),
    ("Asset open interest is at cap", OpenInterestCapped),
    ("Too many open orders", TooManyOpenOrders),
    ("Too many cumulative requests sent", AllowanceExhausted),
    ("Invalid nonce: duplicate nonce", DuplicateNonce),
    ("Invalid nonce: nonce too low", NonceTooLow),
    ("Action already expired", ActionExpired),
    ("User or API Wallet", SignerUnknown),
    ("Must deposit before performing actions", SignerUnknown),
    ("Unable to recover signer", SignerUnknown),
)


def from_text(text: str) -> Rejected:
    """The class of the venue's refusal, by prefix; plain ``Rejected`` for a text not listed."""
    for prefix, kind in _BY_PREFIX:
        if text.startswith(prefix):
            return kind(text)
    return Rejected(text)


def from_status(status: int, text: str) -> ExchangeError:
    """The class of an HTTP status other than 200, for a request that may act (protocol 1).

    A 5xx comes from something before the venue's core: the action may have gone through.
    """
    said = f"HTTP {status}: {text.strip()[:200]}"
    if status == 429:
        return RateLimited(said)
    return BadRequest(said) if 400 <= status < 500 else OutcomeUnknown(said)


def from_post_error(text: str) -> ExchangeError:
    """The class of a WebSocket post's error payload, such as ``429 Too Many Requests``."""
    head = text.split(maxsplit=1)
    if head and head[0].isascii() and head[0].isdigit():
        return from_status(int(head[0]), text)
    return OutcomeUnknown(text)
