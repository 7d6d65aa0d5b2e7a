"""A full book from frame to typed levels, beside ``json.loads`` of the same frame (J)."""

import json
import random

from agents.events import Book
from agents.exchange.codec import decode_frame
from tests.bench.figures import Figures, per_call_s


def _frame() -> bytes:
    """20 levels a side, as the venue writes them."""
    rng = random.Random(7)

    def side(step: int) -> list[dict[str, object]]:
        return [
            {
                "px": f"{85_821 + step * i}.0",
                "sz": f"{rng.expovariate(0.5):.5f}",
                "n": rng.randint(1, 60),
            }
            for i in range(20)
        ]

    data = {"coin": "BTC", "time": 1_791_278_882_097, "levels": [side(-1), side(1)]}
    return json.dumps({"channel": "l2Book", "data": data}, separators=(",", ":")).encode()


def test_decoding_a_book(figures: Figures) -> None:
    raw = _frame()
    book = decode_frame(raw)
    assert isinstance(book, Book)
    assert [len(side) for side in book.levels] == [20, 20]
    # Short rounds in turn, and the best of each: both see the machine at rest.
    pairs = [
        (
            per_call_s(lambda: decode_frame(raw), calls=100, rounds=1),
            per_call_s(lambda: json.loads(raw), calls=100, rounds=1),
        )
        for _ in range(400)
    ]
    figures.add(
        "l2Book 20x20 to typed levels",
        value_s=min(value for value, _ in pairs),
        yardstick="J, json.loads",
        yardstick_s=min(yardstick for _, yardstick in pairs),
        ratio_max=1 / 3,
    )
