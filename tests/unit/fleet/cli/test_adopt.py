"""What lies on an account and is not the fleet's, by the venue's own answers."""

from decimal import Decimal
from typing import Any

import msgspec

from agents.market.types import Side
from fleet.cli.adopt import Foreign, foreign, manifest_lines
from fleet.manifests.load import load
from tests.unit.agents.sim.desk import ALICE, Desk, order
from tests.unit.fleet.views import dex_view, quoting, status


class Asked:
    """The gateway's /info, answered by an exchange in this process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def post(self, path: str, body: dict[str, Any]) -> Any:
        assert path == "/v1/info"
        answer = self._desk.exchange.info(body, self._desk.now_ms)
        return msgspec.json.decode(msgspec.json.encode(answer))


def desk() -> Desk:
    made = Desk()
    for side, px in ((Side.BID, "2639"), (Side.ASK, "2641")):
        made.flow("ETH", side, px, "10")
    return made


def test_orders_without_our_prefix_and_positions_outside_the_fleet_are_listed() -> None:
    at = desk()
    at.place(ALICE, order(0, "B", "50000", "0.01"))
    at.place(ALICE, order(0, "B", "50001", "0.01", cloid="0xf1ee00000100010000010000000000ff"))
    at.place(ALICE, order(1, "B", "2641", "0.5", tif="Ioc"))
    seen = msgspec.structs.replace(
        status(quoting("BTC")), address=ALICE, dexes=(dex_view(""), dex_view("hyna"))
    )
    found = list(foreign(Asked(at), seen))  # type: ignore[arg-type]  # the part of a client that is used
    assert [(row.market, row.ours, row.orders, row.position_sz) for row in found] == [
        ("BTC", True, 1, 0.0), ("ETH", False, 0, 0.5),
    ]  # fmt: skip


def test_the_lines_for_a_position_make_a_manifest_that_can_hold_it(tmp_path: Any) -> None:
    row = Foreign("hyna:BTC", ours=False, orders=0, position_sz=0.1, position_usd=8_400, leverage=5)
    lines = "\n".join(f"  {line}" for line in manifest_lines(row))
    path = tmp_path / "m.yaml"
    path.write_text(f"fleet: test\nnetwork: paper\nmarkets:\n{lines}\n")
    (settings,) = load(path).markets.values()
    assert settings.market == "hyna:BTC"
    assert Decimal(settings.risk.position_max_usd) > 8_400
