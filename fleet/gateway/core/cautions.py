"""What is wrong with the host, the key or the account, so that the whole fleet only reduces.

A cause stands in ``State.cautions`` with its reason until it is over; the door and ``fleet status``
read it. A person is told once when it comes, and when it goes.
"""

from collections.abc import Sequence
from typing import Final

from agents.exchange.wire_account import ExtraAgent
from agents.market.units import MS_PER_S
from fleet.gateway.core.effects import Alert, Effect
from fleet.gateway.core.state import State

CLOCK_MAX_MS: Final = 1_000.0
CLOCK_GOOD_MS: Final = 800.0
DAY_MS: Final = 86_400 * MS_PER_S
KEY_WARN_MS: Final = 14 * DAY_MS
KEY_STOP_MS: Final = DAY_MS
STANDARD: Final = frozenset({"disabled", "default"})
"""Account modes under which each DEX has a balance of its own."""


def stand(state: State, cause: str, why: str | None, mend: str = "") -> list[Effect]:
    """Set a cause, or lift it (None)."""
    before = state.cautions.get(cause)
    if why is None:
        if state.cautions.pop(cause, None) is None:
            return []
        return [Alert("info", cause, f"over: {before}")]
    state.cautions[cause] = why
    if before is not None:
        return []
    text = f"{why}: the fleet only reduces"
    return [Alert("critical", cause, f"{text}; {mend}" if mend else text)]


def clock(state: State) -> list[Effect]:
    """The host's clock against the venue's: expiries and nonces are reckoned by it."""
    if not state.clock.known:
        return []
    off_ms = abs(state.clock.offset_ms)
    if off_ms > CLOCK_MAX_MS:
        way = "behind" if state.clock.offset_ms > 0 else "ahead of"
        why = f"this host's clock is {off_ms / 1000:.1f} s {way} the venue's"
        return stand(state, "clock", why, "set it by NTP")
    return stand(state, "clock", None) if off_ms < CLOCK_GOOD_MS else []


def key(state: State, rows: Sequence[ExtraAgent], signer: str, now_ms: int) -> list[Effect]:
    """The API wallet's validity, as the venue lists it; an unnamed one is not listed."""
    found = next((row for row in rows if row.address.lower() == signer), None)
    until_ms = found.valid_until if found is not None else None
    warned, state.key_until_ms = state.key_until_ms, until_ms
    if until_ms is None:
        return stand(state, "key", None)
    left_ms = until_ms - state.clock.venue_ms(now_ms)
    mend = "approve a new API wallet on the venue's API page, and apply with its key"
    if left_ms <= KEY_STOP_MS:
        hours = max(left_ms, 0) / (3_600 * MS_PER_S)
        return stand(state, "key", f"the API wallet is valid for {hours:.0f} h more", mend)
    effects = stand(state, "key", None)
    if left_ms <= KEY_WARN_MS and warned != until_ms:
        text = f"the API wallet is valid for {left_ms / DAY_MS:.0f} days more; {mend}"
        effects.append(Alert("warning", "key", text))
    return effects


def mode(state: State, told: str) -> list[Effect]:
    """The account's mode: balances must be each DEX's own."""
    if told in STANDARD:
        return stand(state, "account_mode", None)
    why = f"the account's mode is {told}, which shares balances between DEXs"
    return stand(state, "account_mode", why, "set the standard mode on the venue's page")
