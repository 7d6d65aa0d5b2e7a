"""The supervisor's port to Ray: actors by name, on this node, none of them anybody's child."""

from typing import Any, Final

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from fleet.cluster.actors import MarketActor, RiskActor
from fleet.cluster.departures import log_end, read_departure
from fleet.folder import Folder
from fleet.processes import stop
from fleet.supervisor.attempts import Departure
from fleet.supervisor.ports import ClusterAway

RISK: Final = "risk"
EXPLAIN_S: Final = 3.0
_MARKET: Final = "market/"
_AWAY: Final = (RayError, GetTimeoutError, ConnectionError, RuntimeError)


def detached(name: str, namespace: str, *, max_restarts: int) -> dict[str, Any]:
    """Options of every actor: by name, once, on this node, and outliving whoever made it."""
    node = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return {
        "name": name,
        "namespace": namespace,
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": max_restarts,
        "max_task_retries": 0,
        "num_cpus": 0,
        "scheduling_strategy": node,
    }


class RayCluster:
    """``fleet.supervisor.ports.Cluster``, from inside an actor of the same namespace."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._namespace = ray.get_runtime_context().namespace

    def markets(self) -> frozenset[str]:
        return frozenset(
            name.removeprefix(_MARKET) for name in self._names() if name.startswith(_MARKET)
        )

    def risk_runs(self) -> bool:
        return RISK in self._names()

    def start_agent(self, market: str) -> None:
        options = detached(_MARKET + market, self._namespace, max_restarts=0)
        self._start(MarketActor, options, str(self._folder.root), market)

    def stop_agent(self, market: str) -> None:
        self._kill(_MARKET + market)

    def start_risk(self) -> None:
        options = detached(RISK, self._namespace, max_restarts=0)
        self._start(RiskActor, options, str(self._folder.root))

    def stop_risk(self) -> None:
        self._kill(RISK)
        stop(self._folder, RISK, 1.0)  # Ray asks it to leave, and one that was stopped never hears

    def explain(self, market: str) -> bytes | None:
        try:
            told: bytes | None = ray.get(
                ray.get_actor(_MARKET + market).explain.remote(), timeout=EXPLAIN_S
            )
        except ValueError:
            return None  # nobody of that name
        except _AWAY as error:
            raise ClusterAway(f"the agent of {market} does not answer: {error}") from error
        return told

    def departure(self, market: str) -> Departure | None:
        return read_departure(self._folder, market)

    def last_lines(self, market: str) -> str:
        return log_end(self._folder, market)

    def _names(self) -> list[str]:
        try:
            names: list[str] = ray.util.list_named_actors()
        except _AWAY as error:
            raise ClusterAway(f"Ray does not list its actors: {error}") from error
        return names

    def _start(self, actor: type, options: dict[str, Any], *arguments: str) -> None:
        try:
            ray.remote(actor).options(**options).remote(*arguments)
        except (*_AWAY, ValueError) as error:
            raise ClusterAway(f"Ray does not start {options['name']}: {error}") from error

    def _kill(self, name: str) -> None:
        try:
            ray.kill(ray.get_actor(name), no_restart=True)
        except ValueError:
            return  # nobody of that name
        except _AWAY as error:
            raise ClusterAway(f"Ray does not end {name}: {error}") from error
