"""What the venue asks of its users, as far as a test or a demonstration may want it otherwise."""

from decimal import Decimal
from typing import Final

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Gates and limits; the defaults are the venue's own.

    schedule_volume_usd     lifetime volume before ``scheduleCancel`` is allowed
    sub_account_volume_usd  lifetime volume before sub-accounts may be made
    requests_free           requests an address has before any volume
    schedules_per_day       how often the dead man's switch may go off a day (UTC)
    """

    schedule_volume_usd: Decimal = Decimal(1_000_000)
    sub_account_volume_usd: Decimal = Decimal(100_000)
    requests_free: int = 10_000
    schedules_per_day: int = 10


DEFAULT: Final = Rules()
