"""The actors that a supervisor starts. Arguments are visible to all of Ray: a folder and a name.

Each is a thin body round a plain asyncio program that knows nothing of Ray, begun as the actor is
made. Whoever is done leaves by ``os._exit``: its death is seen at once, whatever Ray's threads do.
"""

import asyncio
import os
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from agents.runtime.loops import Stall
from agents.runtime.stalls import spare_collector, watch
from agents.telemetry.logs import open_log
from fleet.build import BUILD
from fleet.cluster.departures import write_departure
from fleet.folder import Folder
from fleet.processes import write_pid
from fleet.supervisor.attempts import Departure

if TYPE_CHECKING:
    from agents.runtime.shell import Shell

EXIT_BROKEN: Final = 1


class MarketActor:
    """One market's agent: ends with it, and leaves its last word in the agent's folder."""

    def __init__(self, root: str, market: str) -> None:
        self._folder = Folder(Path(root))
        self._market = market
        self._shell: Shell | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        from agents.runtime.agent import run_agent

        watching = watched(self._folder, self._market)
        code, reason = EXIT_BROKEN, "it did not begin"
        try:
            departure = await run_agent(
                self._market,
                self._folder.gateway_sock,
                self._folder.token.read_text(encoding="ascii").strip(),
                self._folder.log(self._market),
                BUILD,
                self._folder.journal(self._market),
                self._folder.beliefs(self._market),
                shown=self._show,
            )
            code, reason = departure.code, departure.reason
        except OSError as error:
            reason = f"{type(error).__name__}: {error}"
        finally:
            watching.cancel()
            last_word = Departure(code, reason, time.time_ns() // 1_000_000, os.getpid())
            try:
                write_departure(self._folder, self._market, last_word)
            finally:  # a full disk must not keep a process that has nothing to do any more
                os._exit(code)

    def _show(self, shell: "Shell") -> None:
        self._shell = shell

    async def explain(self) -> bytes | None:
        """Why it quotes as it does, as JSON; None before it has a lease."""
        told = None if self._shell is None else self._shell.explain()
        return None if told is None else msgspec.json.encode(told)


class RiskActor:
    """The fleet's risk: one round of directives a second."""

    def __init__(self, root: str) -> None:
        self._folder = Folder(Path(root))
        write_pid(self._folder, "risk", os.getpid(), BUILD)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        from fleet.cluster.risk_loop import run_risk

        await or_exit(self._folder, "risk", run_risk(self._folder))


def watched(folder: Folder, process: str) -> "asyncio.Task[None]":
    """Watch this process's event loop; its modules are loaded by now."""
    log = open_log(folder.log(process))

    def tell(stall: Stall) -> None:
        log.warning("loop.stalled", gap_ms=stall.gap_ms, queued_ms=stall.queued_ms)

    spare_collector()
    return asyncio.get_running_loop().create_task(watch(folder.loop(process), tell))


async def or_exit(folder: Folder, process: str, program: Awaitable[None]) -> None:
    """Programs that turn for ever: an end of one is a fault, told in its log."""
    watching = watched(folder, process)
    try:
        await program
    except BaseException:
        open_log(folder.log(process)).exception(f"{process}.broken")
        raise
    finally:
        watching.cancel()
        os._exit(EXIT_BROKEN)
