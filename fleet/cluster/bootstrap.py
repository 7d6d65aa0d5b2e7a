"""Bringing the supervisor to life from outside Ray."""

from typing import Final

from fleet.cluster.connection import connected, namespace
from fleet.cluster.session import ClusterFailed
from fleet.folder import Folder

READY_S: Final = 60.0


def start_supervisor(folder: Folder) -> None:
    """Start the fleet's supervisor unless it runs; returns once its process is up.

    Raises ``ClusterFailed``. It then outlives us, and Ray starts it again whenever it dies.
    """
    with connected(folder):
        import ray
        from ray.exceptions import GetTimeoutError, RayError

        from fleet.cluster.handles import detached
        from fleet.cluster.supervisor_actor import SupervisorActor

        options = detached("supervisor", namespace(folder), max_restarts=-1)
        try:
            actor = ray.remote(SupervisorActor).options(**options).remote(str(folder.root))
            ray.get(actor.ready.remote(), timeout=READY_S)
        except (RayError, GetTimeoutError, ValueError) as error:
            raise ClusterFailed(
                f"the supervisor did not start: {str(error).splitlines()[0]}",
                f"read {folder.log('supervisor')} and {folder.log('ray')}",
            ) from error
