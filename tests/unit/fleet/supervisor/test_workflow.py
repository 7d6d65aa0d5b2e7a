"""Every step of a market's way to its quotes, with a kill -9 at each of them."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from agents.telemetry.logs import open_log
from fleet.gateway.api import ApiError, GatewayStatus
from fleet.gateway.client import ApiFailure
from fleet.manifests.spec import encode
from fleet.supervisor.actions import Actions
from fleet.supervisor.loop import Loop
from fleet.supervisor.phases import Phase
from fleet.supervisor.store import Store
from fleet.supervisor.transfers import GONE_MS
from tests.unit.fleet.supervisor.world import World
from tests.unit.fleet.views import spec, view

NAMES = ("BTC", "hyna:BTC")
CALLS = 12
"""What the way of both markets takes: settings, mode, spot, transfer, leverage, starts."""


class Killed(BaseException):
    """kill -9: the process is gone, whatever it was about."""


class Doomed(World):
    """A world in which the caller dies at its n-th word, before or after it was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.said = 0
        self.dies_at: tuple[int, str] | None = None
        self.mute = False

    def _word(self, say: Callable[[], object]) -> object:
        self.said += 1
        if self.dies_at == (self.said, "before"):
            raise Killed
        answer = say()
        if self.dies_at == (self.said, "after"):
            raise Killed
        return answer

    def status(self) -> GatewayStatus:
        seen = super().status()
        return msgspec.structs.replace(seen, as_of_ms=self.bank.now_ms)

    def put(self, path: str, body: object) -> object:
        return self._word(lambda: super(Doomed, self).put(path, body))

    def post(self, path: str, body: object = None) -> object:
        if self.mute and path == "/v1/info":
            raise ApiFailure(ApiError("rate_limited", 7, "no weight is left"))
        return self._word(lambda: super(Doomed, self).post(path, body))

    def start_agent(self, market: str) -> None:
        assert market not in self.agents, "a market is never doubled"
        self._word(lambda: super(Doomed, self).start_agent(market))


class Rig:
    """A fleet whose second market needs collateral that lies in the spot wallet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = Doomed()
        bank = self.world.bank
        bank.dexes |= {"": Decimal(1_000), "hyna": Decimal(0)}
        bank.spot = {"USDE": Decimal(5_000)}
        bank.show()
        self.begin()
        desired = dict.fromkeys(NAMES, True)
        self.store.revise(encode(spec(*NAMES)).decode(), desired, "ann", 1)

    def begin(self) -> None:
        self.store = Store(self.folder / "store.db")
        log = open_log(self.folder / "log.jsonl")
        self.loop = Loop(self.store, Actions(self.world), self.world, log, self.world.look)

    def revise(self, names: tuple[str, ...], **changed: float) -> None:
        """A new revision of these markets; the others leave."""
        made = spec(*names)
        markets = {
            name: msgspec.structs.replace(each, **changed) for name, each in made.markets.items()
        }
        wanted = msgspec.structs.replace(made, markets=markets)
        self.store.revise(
            encode(wanted).decode(), {name: name in names for name in NAMES}, "ann", 2
        )

    def turn(self, times: int, step_ms: int = 1_100) -> None:
        for _ in range(times):
            try:
                asyncio.run(self.loop._round())
            except Killed:
                self.world.dies_at = None
                self.store.close()
                self.begin()
            self.world.bank.now_ms += step_ms
            self.world.bank.show()

    def phases(self) -> dict[str, Phase]:
        return {name: row.phase for name, row in self.store.markets().items()}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_the_way_is_as_long_as_it_is_walked(rig: Rig) -> None:
    rig.turn(10)
    assert rig.world.said == CALLS


def test_a_market_waits_in_preflight_for_its_collateral(rig: Rig) -> None:
    rig.turn(2)
    assert rig.phases()["hyna:BTC"] is Phase.PREFLIGHT
    reason = rig.store.markets()["hyna:BTC"].reason
    assert reason is not None
    assert "1000.00 USDE from spot to DEX hyna is under way" in reason
    rig.turn(8)
    assert set(rig.phases().values()) == {Phase.QUOTING}
    assert rig.world.bank.dexes["hyna"] == 1_000


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("word", range(1, CALLS + 1))
def test_a_kill_at_any_step_is_finished_by_the_next_round(rig: Rig, word: int, moment: str) -> None:
    rig.world.dies_at = (word, moment)
    rig.turn(3)
    rig.turn(9, step_ms=GONE_MS // 3)
    assert rig.world.dies_at is None, "it was killed"
    assert set(rig.phases().values()) == {Phase.QUOTING}
    assert rig.world.agents == set(NAMES)
    assert len(rig.world.bank.listed) == 1, "the collateral moved once"
    assert rig.world.bank.dexes["hyna"] == 1_000
    assert rig.world.calls.count("start hyna:BTC") == 1


@pytest.mark.parametrize(
    ("mode", "words"),
    [("unifiedAccount", "the account is in the mode unifiedAccount"), ("disabled", "")],
)
def test_an_account_whose_margin_is_not_per_dex_is_not_traded(
    rig: Rig, mode: str, words: str
) -> None:
    rig.world.bank.mode = mode
    rig.turn(10)
    row = rig.store.markets()["BTC"]
    assert (row.phase is Phase.PREFLIGHT) == bool(words)
    assert (row.reason or "").startswith(words)


def test_what_began_is_not_asked_again(rig: Rig) -> None:
    rig.turn(10)
    rig.world.bank.dexes["hyna"] = Decimal(400)  # it lost
    rig.world.bank.show()
    rig.world.agents.clear()
    rig.store.close()
    rig.begin()
    rig.turn(4)
    assert rig.world.agents == set(NAMES), "a loss keeps no market from its position"
    assert len(rig.world.bank.listed) == 1


def test_an_isolated_position_is_topped_up_once_a_frame(rig: Rig) -> None:
    rig.turn(10)
    thin = view(
        "hyna:BTC",
        settings=spec(*NAMES).markets["hyna:BTC"],
        position_sz=Decimal(6),
        entry_px=Decimal(100),
        isolated_raw=Decimal(-550),
    )
    rig.world.markets_put["hyna:BTC"] = thin
    rig.turn(3)
    assert [post.action["ntli"] for post in rig.world.bank.top_ups] == [150_000_000]


def test_a_question_without_an_answer_holds_up_no_other_market(rig: Rig) -> None:
    rig.world.mute = True
    rig.turn(4)
    assert set(rig.phases().values()) == {Phase.PREFLIGHT}
    assert rig.store.markets()["BTC"].reason == "the account's mode is not known yet"
    assert rig.world.risk, "the rest of the round goes on"
    rig.world.mute = False
    rig.turn(8)
    assert set(rig.phases().values()) == {Phase.QUOTING}


def test_one_that_began_before_waits_for_no_money_and_one_that_left_does(rig: Rig) -> None:
    rig.turn(10)
    rig.world.mute = True
    rig.revise(NAMES, margin_usd=90_000.0)
    rig.world.agents.discard("hyna:BTC")
    rig.turn(4)
    assert rig.phases()["hyna:BTC"] is Phase.QUOTING
    rig.revise(("BTC",))
    rig.world.agents.discard("hyna:BTC")
    rig.turn(4)
    rig.revise(NAMES)
    rig.turn(4)
    assert rig.phases()["hyna:BTC"] is Phase.PREFLIGHT
