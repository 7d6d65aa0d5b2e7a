"""Planted faults in the caretaker."""

from typing import Any

import msgspec
import pytest

from agents.exchange.codec import encode_place
from fleet.gateway.core import (
    care,
    caretaker,
    handover,
)

Patch = pytest.MonkeyPatch


# ── the caretaker ────────────────────────────────────────────────────────────────────────────


def collar_forgotten(patch: Patch) -> None:
    def worst_px(instrument: Any, side: Any, mark_px: float, collar_bps: float) -> Any:
        return bounded(instrument, side, mark_px, 20 * collar_bps)

    bounded = caretaker.worst_px
    patch.setattr(caretaker, "worst_px", worst_px)


def orphans_left_alone(patch: Patch) -> None:
    """A position without an agent is nobody's business."""
    patch.setattr(care, "tick", lambda *_: [])


def caretaker_works_beside_the_agent(patch: Patch) -> None:
    """It lets an agent that comes back trade, and goes on itself."""
    patch.setattr(handover, "end", lambda *_: [])


def caretaker_may_add(patch: Patch) -> None:
    """Its orders are no longer reduce-only."""

    def encode(made: Any, asset_id: int) -> Any:
        return encoded([msgspec.structs.replace(o, reduce_only=False) for o in made], asset_id)

    encoded = encode_place
    patch.setattr(care, "encode_place", encode)
