"""Money as it is read: a loss of less than half a cent is none."""

import pytest

from fleet.cli.status_table import _usd


@pytest.mark.parametrize(
    ("value", "sign", "shown"),
    [(-0.004, True, "+0.00"), (-0.004, False, "0.00"), (-0.006, True, "-0.01"),
     (1234.5, True, "+1,234.50"), (None, True, "-")],
)  # fmt: skip
def test_cents(value: float | None, sign: bool, shown: str) -> None:
    assert _usd(value, sign=sign) == shown
