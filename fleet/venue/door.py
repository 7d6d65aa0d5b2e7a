"""The venue's door: shapes and signatures of actions are checked here, before the exchange."""

import msgspec

from agents.exchange.errors import BadSignature
from agents.exchange.signing import pack, recover_l1, recover_user_signed
from agents.exchange.wire import Signature
from agents.sim.actions import Action, parse_action, parse_address
from agents.sim.canonical import canonical
from agents.sim.exchange import Exchange
from agents.sim.outputs import UnknownRequest


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """The body of ``/exchange``. ``action`` keeps its keys in the order received: it is hashed."""

    action: dict[str, object]
    nonce: int
    signature: Signature
    vault_address: str | None = None
    expires_after: int | None = None


class Letter(msgspec.Struct, frozen=True):
    """An envelope and the action in it, typed."""

    envelope: Envelope
    action: Action


class Refused(Exception):
    """The action is answered at the door: ``status: err`` with this text."""


def letter(body: object) -> Letter:
    """The typed content of a decoded body, its action's shape checked before the signature.

    Raises UnknownRequest (422).
    """
    try:
        found = msgspec.convert(body, Envelope)
    except msgspec.ValidationError as error:
        raise UnknownRequest from error
    if found.nonce < 0:
        raise UnknownRequest
    action = parse_action(found.action)
    if found.vault_address is not None:
        parse_address(found.vault_address)
    return Letter(found, action)


class Door:
    """Finds out who signed. Clients that take the venue for mainnet or for testnet both pass.

    The source of an L1 signature (``a`` or ``b``) is part of what is hashed: the wrong one yields
    an address nobody has. The one that yields a known address is right; where neither does, the
    venue's own flavour decides which address the refusal names.
    """

    def __init__(self, exchange: Exchange, *, mainnet: bool) -> None:
        self._exchange = exchange
        self._mainnet = mainnet

    def signer(self, sent: Envelope) -> str:
        """The address that signed. Raises Refused if no signer can be recovered.

        A nonce out of its time is told first, whatever the signature.
        """
        late = self._exchange.nonce_refusal(sent.nonce)
        if late is not None:
            raise Refused(late)
        try:
            if "signatureChainId" in sent.action:
                return recover_user_signed(sent.action, sent.signature)
            return self._l1(sent)
        except BadSignature as error:
            raise Refused("Unable to recover signer.") from error

    def _l1(self, sent: Envelope) -> str:
        try:
            packed = pack(canonical(sent.action))
        except (OverflowError, RecursionError) as error:
            raise BadSignature("the action cannot be packed") from error
        first = self._recover(sent, packed, mainnet=self._mainnet)
        if self._exchange.knows(first):
            return first
        second = self._recover(sent, packed, mainnet=not self._mainnet)
        return second if self._exchange.knows(second) else first

    def _recover(self, sent: Envelope, packed: bytes, *, mainnet: bool) -> str:
        return recover_l1(
            packed,
            sent.signature,
            sent.nonce,
            mainnet=mainnet,
            vault=sent.vault_address,
            expires_after_ms=sent.expires_after,
        )
