"""One round of risk: what each market is told."""

from decimal import Decimal

from fleet.risk.baseline import Baseline
from fleet.risk.directives import VIEW_MAX_MS, Round, one_round
from tests.unit.fleet.views import NOW_MS, dex_view, fleet_risk, status, view

BASE = Baseline(NOW_MS - NOW_MS % 86_400_000, 10_000.0, 10_000.0)


def turned(*markets: object, kept: Baseline | None = BASE, **changed: object) -> Round:
    seen = status(*markets, **changed)  # type: ignore[arg-type]
    return one_round(seen, fleet_risk(), kept, 1, NOW_MS)


def modes(done: Round) -> dict[str, str]:
    return {market: row.mode for market, row in done.put.directives.items()}


def test_a_quiet_fleet_goes_on() -> None:
    done = turned(view("BTC"), view("ETH"))
    assert modes(done) == {"BTC": "normal", "ETH": "normal"}
    assert (done.put.state, done.put.reason) == ("normal", "")


def test_an_underlying_over_its_limit_reduces_on_every_dex() -> None:
    big = view("BTC", position_sz=Decimal(41))
    done = turned(big, view("hyna:BTC"), view("ETH"), dexes=(dex_view(), dex_view("hyna")),
                  kept=None)  # fmt: skip
    assert modes(done) == {"BTC": "reduce_only", "hyna:BTC": "reduce_only", "ETH": "normal"}
    assert done.put.state == "reduce_only"
    assert "BTC" in done.put.directives["hyna:BTC"].reason
    assert done.put.directives["ETH"].reason == ""


def test_a_days_loss_halts_all() -> None:
    poorer = (dex_view(account_value=Decimal(9_500)),)
    done = turned(view("BTC"), dexes=poorer)
    assert modes(done) == {"BTC": "halt"}
    assert done.verdict.mode == "halt"


def test_an_old_account_view_only_reduces_and_moves_no_baseline() -> None:
    ruined = dex_view(account_value=Decimal(1), as_of_ms=NOW_MS - VIEW_MAX_MS - 1)
    done = turned(view("BTC"), dexes=(ruined,))
    assert modes(done) == {"BTC": "reduce_only"}
    assert done.baseline == BASE


def test_a_view_made_while_the_link_was_down_is_no_loss() -> None:
    done = turned(view("BTC"), dexes=(dex_view(account_value=Decimal(1)),), link="down")
    assert modes(done) == {"BTC": "reduce_only"}
    assert done.baseline == BASE


def test_unknown_equity_reduces() -> None:
    done = turned(view("BTC"), dexes=(dex_view(token_mark_usd=None),))
    assert modes(done) == {"BTC": "reduce_only"}
    assert done.baseline == BASE
