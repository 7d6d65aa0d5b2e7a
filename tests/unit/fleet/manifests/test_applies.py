"""How a changed leaf applies: by its own entry, else by its section's, else hot."""

import pytest

from fleet.manifests.applies import of_fleet, of_market


@pytest.mark.parametrize(
    ("leaf", "kind"),
    [
        ("margin_usd", "hot"),
        ("risk.daily_loss_max_usd", "hot"),
        ("strategy.levels", "requote"),
        ("strategy.advanced.exact_skew", "requote"),
        ("strategy.warmup_s", "restart"),
        ("leverage", "restart"),
        ("asset", "replace"),
    ],
)
def test_of_a_market(leaf: str, kind: str) -> None:
    assert of_market(leaf) == kind


@pytest.mark.parametrize(
    ("leaf", "kind"),
    [
        ("risk.on_breach", "hot"),
        ("dexes.hyna.margin_max_usd", "hot"),
        ("paper.latency_ms.ack", "restart"),
        ("account.api_wallet.env", "restart"),
        ("account.address", "replace"),
    ],
)
def test_of_the_fleet(leaf: str, kind: str) -> None:
    assert of_fleet(leaf) == kind
