"""Two processes for all tests that run worlds."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

PROCESSES = 2


@pytest.fixture(scope="session")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Begun afresh, so that none of this process's patches is in them."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as processes:
        yield processes
