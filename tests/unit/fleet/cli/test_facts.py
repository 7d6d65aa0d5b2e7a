"""The facts of a plan's viability, from a venue in this process."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from agents.commands import Report
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from fleet.cli import facts
from fleet.cli.network import Request, Unheard
from fleet.folder import Folder
from fleet.manifests.spec import Account, FleetSpec, KeySource, PaperSpec
from fleet.manifests.viability import Beliefs
from tests.unit.fleet.views import quoting, spec, status

ADDRESS = "0x" + "ab" * 20


class Venue:
    """``/info`` of an exchange with one funded account; ``deaf``: it answers no more."""

    def __init__(self) -> None:
        self.exchange = Exchange(default_universe())
        self.exchange.fund(ADDRESS, Decimal(5_000))
        self.exchange.block(1)
        self.asked: list[str] = []
        self.deaf = False

    def __call__(self, request: Request) -> bytes:
        if self.deaf:
            raise Unheard("deaf")
        self.asked.append(str(request["type"]))
        return msgspec.json.encode(self.exchange.info(dict(request), 1))

    def close(self) -> None:
        self.asked.append("closed")


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    venue = Venue()
    monkeypatch.setattr(facts, "Wire", lambda _: venue)
    return venue


def live(*markets: str) -> FleetSpec:
    account = Account(ADDRESS, KeySource(env="K"))
    return spec(*markets, network="mainnet", account=account)


def test_a_live_network_is_asked_of_market_and_account(tmp_path: Path, venue: Venue) -> None:
    gathered = facts.gather(Folder(tmp_path), live("BTC", "hyna:BTC", "GONE"))
    told = gathered.facts
    assert set(told.markets) == {"BTC", "hyna:BTC"}
    assert told.markets["BTC"].mark_px == 84_000
    assert (told.markets["BTC"].oi_headroom_usd, told.markets["hyna:BTC"].oi_headroom_usd) == (
        None, 100_000_000,
    )  # fmt: skip
    assert told.dexes["hyna"].token == "USDE"
    assert told.dexes["hyna"].account_value == 5_000
    assert set(told.dexes) == {"", "hyna"}
    assert told.requests_left is not None
    assert told.account_mode is not None
    assert (told.maker_fee_bps, told.taker_fee_bps) == pytest.approx((1.5, 4.5))
    assert told.dexes_listed == len(gathered.offer.registry.dexes) > 2
    assert venue.asked.count("metaAndAssetCtxs") == 2
    assert venue.asked[-1] == "closed"


def test_the_wallet_of_a_key_at_hand_is_asked_about(tmp_path: Path, venue: Venue) -> None:
    assert facts.gather(Folder(tmp_path), live("BTC")).facts.wallet is None
    assert "extraAgents" not in venue.asked
    found = facts.gather(Folder(tmp_path), live("BTC"), "01" * 32).facts.wallet
    assert found is not None
    assert not found.valid
    assert {"userRole", "extraAgents"} <= set(venue.asked)


def test_a_live_network_that_is_not_heard_is_no_plan(tmp_path: Path, venue: Venue) -> None:
    venue.deaf = True
    with pytest.raises(Unheard):
        facts.gather(Folder(tmp_path), live("BTC"))


def test_paper_that_does_not_run_is_known_by_how_it_is_made(tmp_path: Path, venue: Venue) -> None:
    made = spec("BTC", paper=PaperSpec(flow="lively"))
    told = facts.gather(Folder(tmp_path), made).facts
    assert told.markets["BTC"].beliefs.sigma_bps == 0.5
    assert (told.dexes[""].account_value, told.requests_left) == (None, None)
    assert not venue.asked
    taped = spec("BTC", paper=PaperSpec(recording="r.zst"))
    btc = facts.gather(Folder(tmp_path), taped).facts.markets["BTC"]
    assert (btc.mark_px, btc.beliefs.sigma_bps) == (None, None)


def test_what_agents_learnt_is_taken_from_the_gateway(
    tmp_path: Path, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = Report(phase="QUOTING", sigma_bps=0.7, kappa_per_bps=0.4)
    running = status(quoting("BTC", report=report))
    monkeypatch.setattr(facts, "_gateway", lambda _: running)
    told = facts.gather(Folder(tmp_path), spec("BTC", paper=PaperSpec())).facts
    assert told.source == running.url
    assert told.markets["BTC"].beliefs == Beliefs(sigma_bps=0.7, kappa_per_bps=0.4)
    venue.deaf = True
    alone = facts.gather(Folder(tmp_path), spec("BTC", paper=PaperSpec())).facts
    assert alone.markets["BTC"].beliefs.kappa_per_bps is None
