"""A short walk through the kill matrix, on the session's fleet; the whole of it is in the soak."""

import pytest

from tests.e2e.under_test import Fleet, wait_for
from tests.soak.matrix import How, run
from tests.soak.rig import Rig

CELLS: tuple[tuple[How, str], ...] = (
    ("KILL", "agent:SOL"),
    ("KILL", "ledger"),
    ("KILL", "gateway"),
    ("KILL", "guard"),
)


@pytest.mark.parametrize(("how", "subject"), CELLS)
def test_whatever_dies_no_order_is_left_alone_and_no_fill_is_lost(
    paper: Fleet, how: How, subject: str
) -> None:
    rig = Rig(paper)
    wait_for("all QUOTING", rig.whole, within_s=60)
    cell = run(rig, (subject,), how)
    assert cell.faults == [], str(cell)
    assert cell.applied == (subject == "guard"), str(cell)
