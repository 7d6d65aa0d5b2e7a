"""Spot pairs are found by the clients that look for them, and show that nobody trades them."""

import pytest

from agents.sim.info_spot import COINS
from tests.unit.agents.sim.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_pairs_name_tokens_that_are_listed(desk: Desk) -> None:
    found = desk.ask("spotMeta")
    tokens = {row["index"] for row in found["tokens"]}
    assert all(set(row["tokens"]) <= tokens for row in found["universe"])
    assert found["universe"][0]["name"] == "PURR/USDC"
    assert [row["index"] for row in found["tokens"]] == sorted(tokens)
    assert [ctx["coin"] for ctx in desk.ask("spotMetaAndAssetCtxs")[1]] == list(COINS)


def test_their_books_are_empty(desk: Desk) -> None:
    assert desk.ask("l2Book", coin="PURR/USDC")["levels"] == [[], []]
    assert desk.ask("recentTrades", coin="@1") == []
    assert desk.ask("l2Book", coin="@2") is None
    assert desk.ask("allMids")["PURR/USDC"] == "1.0"
    assert "PURR/USDC" not in desk.ask("allMids", dex="xyz")
