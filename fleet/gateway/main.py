"""``python -m fleet.gateway.main --folder PATH --url URL``, the key in hex on descriptor 3."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
from aiohttp import web

from agents.exchange.signing import L1Signer
from agents.runtime.loops import Stall
from agents.runtime.stalls import spare_collector, watch
from fleet.build import BUILD
from fleet.folder import Folder
from fleet.gateway.core.control import watch_own
from fleet.gateway.core.core import Core
from fleet.gateway.core.state import Identity
from fleet.gateway.hardening import harden
from fleet.gateway.links import Links
from fleet.gateway.log import ActionLog
from fleet.gateway.patience import Doorkeeper
from fleet.gateway.reconcile import polls, reconcile
from fleet.gateway.recover import restore
from fleet.gateway.resuming import halt_by_signal
from fleet.gateway.server import Server, SocketTaken, claim_socket
from fleet.gateway.service import Gateway
from fleet.gateway.standing import Standing
from fleet.gateway.store import Store

KEY_FD: Final = 3
EXIT_UNEXPECTED: Final = 1
EXIT_ARGUMENTS: Final = 3
EXIT_TAKEN: Final = 6
MASTER_KEY: Final = (
    "the key on descriptor 3 is the account's own (master) key, which can withdraw; "
    "approve an API wallet and use its key"
)

_log = structlog.get_logger()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM. Exit codes: 0 ended, 1 files, 3 arguments or key, 6 socket taken."""
    parser = argparse.ArgumentParser(prog="fleet.gateway.main", exit_on_error=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--url", required=True)
    options = parser.parse_args(argv)
    folder = Folder(options.folder)
    harden()
    _log_to(folder.log("gateway"))
    store = Store(folder)
    try:
        identity = _identity(store, options.url)
        signer = _signer(mainnet=identity.network == "mainnet")
        listener = claim_socket(folder.gateway_sock)
        log = ActionLog(folder.actions, store.booked_seq)
        log.open()
        state = restore(identity, store, log, time.time_ns() // 1_000_000)
    except SocketTaken as error:
        return _say(str(error), EXIT_TAKEN)
    except ValueError as error:
        return _say(str(error), EXIT_ARGUMENTS)
    except (OSError, msgspec.MsgspecError) as error:
        return _say(f"the gateway's files in {folder.root}: {error}", EXIT_UNEXPECTED)
    if identity.network != "paper" and signer.address == identity.address:
        return _say(MASTER_KEY, EXIT_ARGUMENTS)
    if not state.identity.address:
        state.identity = msgspec.structs.replace(identity, address=signer.address)
    log.standing = Standing(state.bookings, lambda: state.nonces.last)
    gateway = Gateway(Core(state), signer, log, store)
    run = _runner()
    run(_serve(gateway, Server(gateway), listener, folder.loop("gateway")))
    log.close()
    folder.gateway_sock.unlink(missing_ok=True)
    return 0


async def _serve(
    gateway: Gateway, server: Server, listener: socket.socket, loop_path: Path
) -> None:
    runner = web.AppRunner(
        server.application(), access_log=None, handle_signals=False, shutdown_timeout=1.0
    )
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGUSR1, lambda: gateway.spawn(halt_by_signal(gateway))
    )
    for market in gateway.state.markets:
        gateway.run(watch_own(gateway.state, market))
    gateway.store.say("starting")
    link = _Link(gateway)
    links = Links(gateway, _socket_url(gateway.state.identity.url), link.opened, link.lost)
    await runner.setup()
    assert runner.server is not None
    server.doorkeeper = Doorkeeper(runner.server)
    loop = asyncio.get_running_loop()
    listening = await loop.create_unix_server(server.doorkeeper, sock=listener)
    works = [*links.runs(), gateway.tick(), gateway.sync(), polls(gateway),
             watch(loop_path, _tell_stall)]  # fmt: skip
    spare_collector()
    tasks = [asyncio.create_task(work) for work in works]
    stop = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
    for task in [*tasks, stop]:
        task.cancel()
    await asyncio.gather(*tasks, stop, return_exceptions=True)
    listening.close()
    await runner.cleanup()
    await gateway.http.close()
    for task in done - {stop}:
        task.result()


def _tell_stall(stall: Stall) -> None:
    _log.warning("loop.stalled", gap_ms=stall.gap_ms, queued_ms=stall.queued_ms)


class _Link:
    """Says how the start goes, and when the venue comes and goes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._told = ""

    async def opened(self) -> None:
        await reconcile(self._gateway)
        self._told = ""
        self._gateway.store.say("up")
        _log.info("venue.link_up", url=self._gateway.state.identity.url)

    def lost(self, reason: str) -> None:
        self._gateway.lost(reason)
        if not self._gateway.state.link.ever and reason != self._told:
            self._told = reason
            text = f"the venue at {self._gateway.state.identity.url} is out of reach: {reason}"
            self._gateway.store.say("unreachable", text)
            sys.stderr.write(f"gateway: {text}\n")
            sys.stderr.flush()


def _identity(store: Store, url: str) -> Identity:
    """From ``fleet.json`` and the token. ValueError says what is missing."""
    try:
        fleet, token = store.fleet(), store.token()
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueError(f"fleet.json or token: {error}; run `fleet apply`") from error
    return Identity(
        fleet=fleet.fleet, network=fleet.network, url=url.rstrip("/"),
        address=fleet.address.lower(), instance=fleet.instance, build=BUILD, token=token,
        created_ms=fleet.created_ms,
    )  # fmt: skip


def _signer(*, mainnet: bool) -> L1Signer:
    """The key from descriptor 3; what held it is overwritten. ValueError if it is no key."""
    held = bytearray(256)
    try:
        count = 0
        while count < len(held):
            read = os.readv(KEY_FD, [memoryview(held)[count:]])
            count += read
            if not read or b"\n" in held:
                break
        os.close(KEY_FD)
    except OSError as error:
        raise ValueError(f"no key came on descriptor {KEY_FD}: {error.strerror}") from None
    try:
        text = held[:count].strip()
        key = bytes.fromhex(text.decode("ascii").removeprefix("0x"))
        return L1Signer(key, mainnet=mainnet)
    except ValueError:
        raise ValueError("what came on descriptor 3 is no private key (64 hex digits)") from None
    finally:
        held[:] = bytes(len(held))


def _log_to(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    logging.basicConfig(handlers=[handler], format="%(message)s", level=logging.INFO)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _say(text: str, code: int) -> int:
    """One line for a person, on stderr and in the log."""
    _log.error("gateway.stopped", text=text)
    sys.stderr.write(f"gateway: {text}\n")
    return code


def _socket_url(url: str) -> str:
    return url.replace("http", "ws", 1) + "/ws"


def _runner() -> Callable[[Coroutine[None, None, None]], None]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run

    def run(work: Coroutine[None, None, None]) -> None:
        uvloop.run(work)

    return run


if __name__ == "__main__":
    sys.exit(main())
