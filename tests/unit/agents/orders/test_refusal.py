"""The touch in a post-only refusal: both sides or nothing."""

import pytest

from agents.orders.refusal import touch_px

SAID = "Post only order would have immediately matched, bbo was "


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{SAID}64143@64144. asset=0", (64143.0, 64144.0)),
        (f"{SAID}0.1234@0.12345.", (0.1234, 0.12345)),
        (f"{SAID}0@84000. asset=0", None),
        (f"{SAID}84001@84000. asset=0", None),
        ("Insufficient margin to place order. asset=5", None),
        ("", None),
    ],
)
def test_it_is_read_or_passed_over(text: str, found: tuple[float, float] | None) -> None:
    assert touch_px(text) == found
