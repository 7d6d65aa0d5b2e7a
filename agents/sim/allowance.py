"""The allowance of requests an address has: some for nothing, one more a dollar traded.

Cancels pass longer than orders: up to min(allowance + 100 000, 2 * allowance). Where it is used
up, one request passes each ten seconds. Source: protocol 8.2.
"""

from typing import Final

from agents.sim.accounts import Account
from agents.sim.floor import Floor

CANCEL_SURPLUS: Final = 100_000
PERIOD_MS: Final = 10_000


def cap(floor: Floor, account: Account) -> int:
    """Requests allowed so far without those bought."""
    return floor.rules.requests_free + int(account.volume_usd)


def used(account: Account) -> int:
    """Requests counted against the cap: those bought go first."""
    return max(0, account.requests - account.reserved)


def refusal(floor: Floor, account: Account, *, cancels: bool) -> str | None:
    """The venue's text if the address may not act now; letting one through is noted."""
    allowed, spent = cap(floor, account), used(account)
    limit = min(allowed + CANCEL_SURPLUS, 2 * allowed) if cancels else allowed
    if spent < limit:
        return None
    if floor.now_ms >= account.allowed_at_ms:
        account.allowed_at_ms = floor.now_ms + PERIOD_MS
        return None
    return (
        f"Too many cumulative requests sent ({spent} > {allowed}) for cumulative volume traded "
        f"${account.volume_usd:.2f}. Place taker orders to free up 1 request per USDC traded."
    )
