"""The listing of a recording: its coins, on the venue's grid or on that of their sizes."""

from pathlib import Path

import pytest

from agents.sim.tape import TapeError
from agents.sim.universe import default_universe
from fleet.venue.listing import tape_universe
from tests.unit.fleet.venue.recordings import book, write


def test_the_listing_is_the_recordings(tmp_path: Path) -> None:
    lines = [book(0, 100_000, 100_010), book(0, 3_000, 3_001, "NEW")]
    path = write(tmp_path / "t.zst", lines, ("NEW", "BTC", "ETH"))
    universe = tape_universe(path, default_universe())
    assert universe.coins() == ("NEW", "BTC")
    btc = universe.listings[universe.coins()[1]].spec
    assert (btc.sz_decimals, str(btc.start_px)) == (5, "100000")
    assert universe.listings[universe.coins()[0]].spec.sz_decimals == 0


def test_a_recording_of_a_dex_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.zst", [book(0, 10, 11, "abc:X")], ("abc:X",))
    with pytest.raises(TapeError, match="abc:X"):
        tape_universe(path, default_universe())
    with pytest.raises(TapeError, match="no book"):
        tape_universe(write(path, [], ("BTC",)), default_universe())
