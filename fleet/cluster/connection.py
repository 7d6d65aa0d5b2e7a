"""A driver's connection to the fleet's Ray: the same variables as the head, the same namespace."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from fleet.cluster.session import ClusterFailed, address, head_alive, ray_environment
from fleet.folder import Folder


class FleetRecord(msgspec.Struct, frozen=True):
    """The part of ``fleet.json`` that names the namespace."""

    fleet: str
    instance: str


def namespace(folder: Folder) -> str:
    """``fleet-<name>-<instance>``: two fleets never see one another's actors."""
    try:
        record = msgspec.json.decode(folder.root.joinpath("fleet.json").read_bytes(),
                                     type=FleetRecord)  # fmt: skip
    except (OSError, msgspec.MsgspecError) as error:
        raise ClusterFailed(
            f"{folder.fleet_json} cannot be read: {error}", "run fleet apply"
        ) from (error)
    return f"fleet-{record.fleet}-{record.instance}"


@contextmanager
def connected(folder: Folder) -> Iterator[None]:
    """Hold a driver's connection for the block.

    Raises ``ClusterFailed`` with the likely cause: a wrong token shows in Ray itself only as a
    connection that fails after 21 s, so the token's file is looked at first.
    """
    where = address(folder)
    if where is None or not head_alive(folder):
        raise ClusterFailed("Ray's head does not run", "fleet apply starts it")
    if not folder.ray_token.exists() or folder.ray_token.stat().st_size == 0:
        raise ClusterFailed(
            f"{folder.ray_token} is missing or empty, and Ray refuses who has no token",
            "fleet down, then fleet apply",
        )
    assert "ray" not in sys.modules or "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER" in os.environ
    # Ray reads some of these as it is imported, and never again: so they stand first.
    os.environ.update(ray_environment(folder.ray_token))
    os.environ.pop("RAY_ADDRESS", None)
    import ray

    try:
        ray.init(
            address=where, namespace=namespace(folder), log_to_driver=False,
            logging_level=logging.CRITICAL, configure_logging=True,
        )  # fmt: skip
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterFailed(
            "Ray's head takes no connection from us",
            f"was {folder.ray_token} changed since it started? fleet down, then fleet apply",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()
