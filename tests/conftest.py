"""Shared material: real recordings and fixtures that lie beside the project, never inside it."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
SHARED = (ROOT / os.environ.get("FLEET_SHARED", "../shared")).resolve()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and fixtures; the test is skipped, loudly, where it is absent."""
    if not (SHARED / "recordings").is_dir():
        pytest.skip(f"no shared material at {SHARED}: set FLEET_SHARED to run this test")
    return SHARED


# A gate says the same twice; other examples are looked for by `make soak`.
settings.register_profile("gate", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", deadline=None, print_blob=True, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
