"""The history of a fleet from its files alone: what was said to the supervisor, and past it."""

from pathlib import Path

from agents.settings import StrategySettings
from fleet.cli.history import read
from fleet.folder import Folder
from fleet.gateway.framing import Record
from fleet.gateway.records import LatchLifted, LatchSet, Said
from fleet.ledger.writer import Ledger
from fleet.manifests.spec import encode
from fleet.supervisor.store import Store
from tests.unit.fleet.views import settings, spec

S = 1_000_000_000


def test_a_fleet_that_never_was_has_none(tmp_path: Path) -> None:
    assert read(Folder(tmp_path)) == {"revisions": [], "audit": []}


def test_both_are_told_as_one_the_newest_first(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    store, ledger = Store(folder.store_db), Ledger(folder.ledger_db)
    store.revise(encode(spec("BTC", "ETH")).decode(), {"BTC": True, "ETH": True}, "ann", 1_000)
    store.audit("ann", "pause", "BTC", "accepted", 3_000)
    ledger.apply(
        [
            Record.of(1, 2 * S, LatchSet("odd (by day)", "bob")),
            Record.of(2, 4 * S, LatchLifted("mended", "bob")),
            Record.of(3, 5 * S, Said("hyna:BTC", "drain", "eve", "accepted")),
            Record.of(4, 6 * S, Said("BTC", "drain", "eve", "no market (at all) here: BTC")),
        ]
    )
    ledger.close()
    store.close()
    told = read(folder)
    assert [(r["rev"], r["by"], r["markets"]) for r in told["revisions"]] == [(1, "ann", 2)]
    assert [tuple(row.values()) for row in told["audit"]] == [
        (6_000, "eve", "drain", "BTC", "no market (at all) here: BTC"),
        (5_000, "eve", "drain", "hyna:BTC", "accepted"),
        (4_000, "bob", "resume", "mended", "accepted"),
        (3_000, "ann", "pause", "BTC", "accepted"),
        (2_000, "bob", "halt", "odd (by day)", "accepted"),
        (1_000, "ann", "apply", "revision 1", "accepted"),
    ]


def test_each_revision_says_what_it_changed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    store = Store(folder.store_db)
    slower = settings("BTC", strategy=StrategySettings(levels=2))
    for at_ms, wanted in enumerate(
        (spec("BTC", "ETH"), spec("BTC"), spec(markets={"BTC": slower})), 1
    ):
        store.revise(encode(wanted).decode(), dict.fromkeys(wanted.markets, True), "ann", at_ms)
    store.revise("{}", {}, "another build", 4)
    store.close()
    changes = [
        row["changes"] and [(c["market"], c["class"], c["text"]) for c in row["changes"]]
        for row in read(folder)["revisions"]
    ]
    assert changes == [
        None,
        [("BTC", "requote", "strategy.levels 5 -> 2")],
        [("ETH", "remove", "left the manifest")],
        [("BTC", "start", "margin 1000 USD at 3x"), ("ETH", "start", "margin 1000 USD at 3x")],
    ]
