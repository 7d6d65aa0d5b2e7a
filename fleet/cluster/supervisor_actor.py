"""The supervisor's actor: the one that Ray itself restarts, whatever ended it."""

import asyncio
import os
from pathlib import Path

from fleet.build import BUILD
from fleet.cluster.actors import or_exit
from fleet.cluster.handles import RayCluster
from fleet.folder import Folder
from fleet.processes import write_pid


class SupervisorActor:
    """Keeps desired and observed equal; serves the control API. Restarted by Ray for ever."""

    def __init__(self, root: str) -> None:
        self._folder = Folder(Path(root))
        write_pid(self._folder, "supervisor", os.getpid(), BUILD)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        from fleet.supervisor.service import supervise

        cluster = RayCluster(self._folder)
        await or_exit(self._folder, "supervisor", supervise(self._folder, cluster))

    async def ready(self) -> int:
        """The process id; answered once the constructor is through."""
        return os.getpid()
