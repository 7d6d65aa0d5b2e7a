"""One market's agent as a program: acquire the lease once, serve, and leave with a code.

A process acquires its market once. Whoever is refused, revoked or cut off ends with code 75, and
whoever supervises starts a new process under a new generation; only a restart of the gateway is
bridged. Two tasks feed the engine, frames and ticks, one at a time; a gateway that reads slowly
slows us, so nothing queues here.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agents.exchange.downstream import EXIT_LEASE_LOST, PROTOCOL_VERSION, Acquire
from agents.exchange.errors import Unreachable
from agents.exchange.websocket import connect
from agents.market.types import Coin
from agents.runtime import outbound
from agents.runtime.beliefs import Beliefs
from agents.runtime.departure import EXIT_BROKEN, Departure
from agents.runtime.journal import Journal
from agents.runtime.rejoin import SOCKET_URL
from agents.runtime.shell import Shell
from agents.telemetry.logs import Log, open_log
from agents.telemetry.scribe import Scribe

_CLOSE_WAIT_S: Final = 1.0


async def run_agent(
    market: str,
    sock: Path,
    token: str,
    log_path: Path,
    build: str,
    journal: Path | None = None,
    beliefs: Path | None = None,
    shown: Callable[[Shell], object] | None = None,
) -> Departure:
    """Make one market until the lease is gone or the engine leaves; never raises for either.

    ``sock``: the gateway's Unix socket; ``token``: the fleet's, as text; ``journal``: the folder of
    this agent's journal, ``beliefs`` its checkpoint; None for none. ``shown`` is given the shell
    before it runs. The code of the departure is the process's exit code.
    """
    scribe = Scribe()
    log = open_log(log_path, later=scribe.give, market=market, pid=os.getpid())
    log.info("agent.start", build=build)
    written = None if journal is None else Journal(journal, build, _saying(log), later=scribe.give)
    kept = None if beliefs is None else Beliefs(beliefs, Coin(market), log)
    try:
        departure = await _serve(market, sock, token, build, log, written, kept, shown)
    except Exception as error:
        log.exception("agent.broken", error=repr(error))
        departure = Departure(EXIT_BROKEN, f"{type(error).__name__}: {error}")
    if written is not None:
        written.close()
    log.info("agent.exit", code=departure.code, reason=departure.reason)
    scribe.finish(_CLOSE_WAIT_S)
    return departure


def _saying(log: Log) -> Callable[[str], object]:
    return lambda text: log.warning("journal.incomplete", error=text)


async def _serve(
    market: str,
    sock: Path,
    token: str,
    build: str,
    log: Log,
    journal: Journal | None,
    beliefs: Beliefs | None,
    shown: Callable[[Shell], object] | None,
) -> Departure:
    try:
        connection = await connect(SOCKET_URL, unix_path=str(sock))
    except Unreachable as error:
        return Departure(EXIT_LEASE_LOST, str(error))
    acquire = Acquire(
        market=market, protocol=PROTOCOL_VERSION, build=build, token=token,
        process=secrets.token_hex(8), pid=os.getpid(),
    )  # fmt: skip
    shell = Shell(acquire, connection, sock, log, journal, beliefs)
    if shown is not None:
        shown(shell)
    try:
        await connection.send(outbound.gateway_frame(acquire))
        return await shell.run()
    except Unreachable as error:
        return Departure(EXIT_LEASE_LOST, str(error))
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WAIT_S):
                await shell.connection.close()
