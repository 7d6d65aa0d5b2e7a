"""Shared material: real recordings and fixtures that lie beside the project, never inside it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = (ROOT / os.environ.get("FLEET_SHARED", "../shared")).resolve()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and fixtures; the test is skipped, loudly, where it is absent."""
    if not (SHARED / "recordings").is_dir():
        pytest.skip(f"no shared material at {SHARED}: set FLEET_SHARED to run this test")
    return SHARED
