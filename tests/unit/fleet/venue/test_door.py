"""The door: whose signature it is, and what is told before it is asked."""

import pytest

from tests.unit.fleet.venue.rig import ADDRESS, Rig, order, status


async def test_a_number_written_otherwise_is_a_strangers_signature() -> None:
    rig = Rig()
    action = order(rig.mid_px() * 0.9)
    action["orders"][0]["p"] += ".0"
    answer = str((await rig.act(action))["response"])
    assert answer.startswith("User or API Wallet 0x")
    assert ADDRESS not in answer
    assert "resting" in status(await rig.act(order(rig.mid_px() * 0.9)))


async def test_what_was_signed_in_the_venues_writing_passes_in_another() -> None:
    rig = Rig()
    body = rig.body(order(rig.mid_px() * 0.9))
    body["action"]["orders"][0] |= {"c": None, "p": body["action"]["orders"][0]["p"] + ".0"}
    assert "resting" in status(await rig.venue.act(body))


@pytest.mark.parametrize("r", ["0x1", "0x" + "f" * 64])
async def test_a_nonce_out_of_its_time_is_told_before_the_signature(r: str) -> None:
    rig = Rig()
    body = rig.body({"type": "noop"})
    body |= {"nonce": 5, "signature": {"r": r, "s": "0x2", "v": 27}}
    answer = str((await rig.venue.act(body))["response"])
    assert answer.startswith("Invalid nonce: nonce too low 5 <")
