"""What a post-only refusal tells beside no: the touch that the order met."""

import re
from typing import Final

_TOUCH: Final = re.compile(r"bbo was (\d+(?:\.\d+)?)@(\d+(?:\.\d+)?)")


def touch_px(text: str) -> tuple[float, float] | None:
    """Bid and ask as a refusal's text has them; None where it names none, or not both sides."""
    found = _TOUCH.search(text)
    if found is None:
        return None
    bid_px, ask_px = float(found[1]), float(found[2])
    return (bid_px, ask_px) if 0.0 < bid_px < ask_px else None
