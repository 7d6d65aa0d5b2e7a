"""Work spread over the cores as Ray tasks, on a Ray of its own that ends with the work."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from fleet.cluster.session import OBJECT_STORE_BYTES, ONE_THREAD, ray_environment

T = TypeVar("T")
R = TypeVar("R")


def parallel(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``work`` of each item, in the order given; a task's failure is raised here.

    ``work`` must be a function of a module that the workers can import.
    """
    folder = Path(tempfile.mkdtemp(prefix="fleet-sweep-"))
    token = folder / "token"
    token.touch(0o600)
    token.write_text(secrets.token_hex(32), encoding="ascii")
    os.environ.update({**ray_environment(token), **ONE_THREAD})
    os.environ.pop("RAY_ADDRESS", None)
    import ray

    try:
        ray.init(
            num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False,
            object_store_memory=OBJECT_STORE_BYTES, _temp_dir=str(folder),
            logging_level="warning",
        )  # fmt: skip
        task = ray.remote(work)
        return list(ray.get([task.remote(item) for item in items]))
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
