"""The real stack: a portfolio that each market's limit allows and the whole does not is stopped."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.rig import Rig

MANIFEST = Path(__file__).with_name("portfolio.yaml")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", str(MANIFEST), "--yes", "--wait", "180")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "whole"), str(MANIFEST))
    finally:
        cli.run("--fleet", "whole", "down")


def reason(rig: Rig) -> str:
    status = rig.status()
    return "" if status is None or status.risk is None else status.risk.reason


def all_reduce(rig: Rig) -> bool:
    """Whether, under the whole's limit, no order rests that could add to a position."""
    if "risk of an hour" not in reason(rig):
        return False
    status = rig.status()
    held = {} if status is None else {v.market: float(v.position_sz) for v in status.markets}
    return all(
        held.get(str(row["coin"]), 0.0) * (1 if row["side"] == "B" else -1) < 0
        for row in rig.resting()
    )


def test_the_whole_stops_what_each_market_allows(rig: Rig) -> None:
    wait_for("the whole to say stop", lambda: "risk of an hour" in reason(rig), within_s=300)
    status = rig.status()
    assert status is not None
    assert any(view.position_sz for view in status.markets)
    for view in status.markets:
        usd = abs(float(view.position_sz)) * (view.mark_px or 0.0)
        assert usd < view.settings.risk.position_max_usd, "its own limit has room"
    wait_for("only what reduces to rest", lambda: all_reduce(rig), within_s=60)


def test_rows_and_holdings_reach_the_agents(rig: Rig) -> None:
    """Thirty samples, ten seconds apart, are what it takes to know how two markets move."""

    def rows() -> int:
        status = rig.status()
        return 0 if status is None or status.risk is None else status.risk.gamma_rows

    wait_for("a row for each market", lambda: rows() == len(rig.markets), within_s=600)

    def crossed() -> bool:
        done = rig.fleet.cli.run("--fleet", "whole", "explain", "BTC", "-o", "json")
        told = json.loads(done.stdout) if done.returncode == 0 else {}
        skew = told.get("skew") or {}
        return bool(skew.get("cross") == "on" and 0 < skew["own_share"] < 1)

    wait_for("a quote that knows of the other market", crossed, within_s=60, every_s=2.0)
