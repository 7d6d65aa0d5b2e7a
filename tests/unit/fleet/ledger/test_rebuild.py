"""A ledger that was made again takes the place of the one in use; lost log is carried over."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path

from fleet.folder import Folder
from fleet.gateway.log import ActionLog
from fleet.ledger import query
from fleet.ledger.cash import cash
from fleet.ledger.main import new_of, take_new
from fleet.ledger.rebuild import copied, differences, rebuilt
from fleet.ledger.tail import Tail, segments
from fleet.ledger.writer import Ledger
from tests.unit.fleet.ledger.test_cash import frame
from tests.unit.fleet.ledger.test_query import DAY, TODAY, YESTERDAY


def told(folder: Folder) -> None:
    """Three segments of log, all booked."""
    batches = ((frame(-600, "1000"), *YESTERDAY), TODAY[:2], (TODAY[2], frame(70, "814.65")))
    for batch in batches:
        log = ActionLog(folder.actions)
        log.open()
        log._begin()
        for body in batch:
            log.append(body, DAY * 1_000_000)
        log.close()
    with closing(Ledger(folder.ledger_db)) as ledger:
        tail = Tail(folder.actions, ledger.place)
        while records := tail.read():
            ledger.apply(records)


def test_it_takes_the_place_of_the_one_in_use_and_goes_on_where_that_was(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "fleet")
    told(folder)
    before, new = query.markets(folder.ledger_db), new_of(folder)
    rebuilt(folder.actions, new).close()
    assert differences(folder.ledger_db, new) == []
    take_new(folder)
    assert new.exists(), "not before it is said to be whole"
    new.with_suffix(".ready").touch()
    take_new(folder)
    assert not new.exists()
    assert query.markets(folder.ledger_db) == before
    assert folder.ledger_db.with_name("ledger.db.aside").exists()
    with closing(Ledger(folder.ledger_db)) as ledger:
        assert Tail(folder.actions, ledger.place).read() == [], "nothing is read twice"


def test_what_the_log_no_longer_holds_is_taken_over(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "fleet")
    told(folder)
    whole, money = query.markets(folder.ledger_db), cash(folder.ledger_db)
    copy, again = tmp_path / "copy.db", tmp_path / "again.db"
    seq = copied(folder.ledger_db, copy)
    for _, path in segments(folder.actions)[:2]:
        path.unlink()
    rebuilt(folder.actions, again, copy, (), seq).close()
    found = query.markets(again)["BTC"]
    assert found.fills == whole["BTC"].fills
    assert (found.realized_usd, found.fees_usd, found.funding_usd) == (
        whole["BTC"].realized_usd, whole["BTC"].fees_usd, whole["BTC"].funding_usd,
    )  # fmt: skip
    assert found.gaps == 0
    assert cash(again)[""].drift == money[""].drift == Decimal(0)
