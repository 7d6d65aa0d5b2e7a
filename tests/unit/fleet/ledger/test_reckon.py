"""A balance that nothing explains: told after a minute, reduce-only, halted, and lifted again."""

import sqlite3
from decimal import Decimal
from pathlib import Path

from fleet.gateway.api import BooksPut
from fleet.gateway.records import Filled, Moved
from fleet.ledger.reckon import EDGE_MS, HALT_MS, LOOK_MS, SURE_MS, Reckoner
from tests.unit.fleet.ledger.test_cash import frame
from tests.unit.fleet.ledger.test_query import DAY, book, filled

NOW = 1_800_000_000_000


class Gateway:
    def __init__(self) -> None:
        self.told: list[BooksPut] = []

    def modes(self) -> list[dict[str, str]]:
        return [{dex: row.mode for dex, row in put.dexes.items()} for put in self.told]


def drifting(path: Path) -> None:
    book(path, frame(0, "1000"), frame(2, "990"))


def test_drift_is_told_after_a_minute_reduces_and_then_halts(tmp_path: Path) -> None:
    path, gateway = tmp_path / "ledger.db", Gateway()
    drifting(path)
    reckoner = Reckoner(path, gateway.told.append)
    assert reckoner.books(NOW, 0).drifts == {}
    assert gateway.told == []
    told = reckoner.books(NOW + SURE_MS, 0)
    assert "-10.000000 USDC" in told.drifts[""]
    assert gateway.modes() == [{"": "reduce_only"}]
    reckoner.books(NOW + SURE_MS + 1_000, 0)
    assert len(gateway.told) == 1, "not each round"
    reckoner.books(NOW + HALT_MS, 0)
    assert gateway.modes()[-1] == {"": "halt"}


def test_a_row_that_comes_late_explains_it_and_nothing_was_done(tmp_path: Path) -> None:
    path, gateway = tmp_path / "ledger.db", Gateway()
    drifting(path)
    reckoner = Reckoner(path, gateway.told.append)
    reckoner.books(NOW, 0)
    book(path, Moved("withdraw", "", "USDC", DAY + 60_000, "0x1", Decimal(-10)))
    assert reckoner.books(NOW + SURE_MS, 0).drifts == {}
    assert gateway.told == []


def test_an_end_is_told_to_the_gateway(tmp_path: Path) -> None:
    path, gateway = tmp_path / "ledger.db", Gateway()
    drifting(path)
    reckoner = Reckoner(path, gateway.told.append)
    reckoner.books(NOW, 0)
    reckoner.books(NOW + SURE_MS, 0)
    book(path, Moved("adopted by ann", "", "USDC", DAY + 60_000, "adopted-1", Decimal(-10)))
    assert reckoner.books(NOW + SURE_MS + LOOK_MS, 0).drifts == {}
    assert gateway.modes() == [{"": "reduce_only"}, {}]


def test_a_market_that_loses_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    fills: list[Filled] = []
    held = Decimal(0)
    for n in range(120):
        signed = Decimal(1 if n % 2 == 0 else -1)
        at_ms = DAY + n * 60_000
        fills.append(filled(str(signed), "100", start=str(held), at_ms=at_ms, fee="0.05"))
        held += signed
    book(path, *fills)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE fill SET mid_60s_px = 100 + (time_ms / 60000 % 7 - 3) * 0.001")
    reckoner = Reckoner(path, Gateway().told.append)
    losing = reckoner.books(DAY + EDGE_MS, 0).losing
    assert list(losing) == ["BTC"]
    assert "fleet drain BTC ends it" in losing["BTC"]
