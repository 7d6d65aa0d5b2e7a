"""``python -m fleet.venue.main``: the embedded exchange as a process, on loopback alone."""

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop
from aiohttp import web

from agents.market.units import NS_PER_MS
from agents.runtime.stalls import spare_collector, watch
from agents.sim.tape import TapeError
from fleet.venue.clock import Clock, ManualClock, RealClock, midnight_ns
from fleet.venue.config import OptionError, Options, parse
from fleet.venue.server import server
from fleet.venue.state import StateError
from fleet.venue.venue import Venue

SHUTDOWN_S: Final = 1.0
LOOPBACK: Final = "127.0.0.1"
EXIT_DONE: Final = 0
EXIT_UNEXPECTED: Final = 1
EXIT_ARGUMENTS: Final = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM. Exit codes: 0 ended, 1 the state or port failed, 3 arguments."""
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        code: int = uvloop.run(_serve(options))
        return code
    except (OptionError, TapeError) as error:
        return _say(str(error), EXIT_ARGUMENTS)
    except StateError as error:
        return _say(str(error), EXIT_UNEXPECTED)


async def _serve(options: Options) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        listener = socket.create_server((LOOPBACK, options.port))
    except OSError as error:
        text = f"port {options.port} of {LOOPBACK}: {error.strerror}; use --port 0 for a free one"
        return _say(text, EXIT_UNEXPECTED)
    venue = Venue(options, _clock(options))
    runner = web.ServerRunner(server(venue), shutdown_timeout=SHUTDOWN_S, handle_signals=False)
    await runner.setup()
    running = loop.create_task(venue.run())
    await web.SockSite(runner, listener).start()
    # What was built so far lives as long as the process: no use in looking at it again.
    spare_collector()
    watching = None if options.state is None else loop.create_task(_watched(Path(options.state)))
    port = listener.getsockname()[1]
    _ready(f"http://{LOOPBACK}:{port}", f"ws://{LOOPBACK}:{port}/ws")
    stopped = loop.create_task(stopping.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    running.cancel()
    if watching is not None:
        watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await venue.close()
    await runner.cleanup()
    return EXIT_DONE


async def _watched(state: Path) -> None:
    """Beside the state: how long the loop did not turn, for whoever asks."""
    await watch(state / "loop.json")


def _clock(options: Options) -> Clock:
    if options.clock == "real":
        return RealClock()
    start_ms = options.start_ms
    return ManualClock(midnight_ns(time.time_ns()) if start_ms is None else start_ms * NS_PER_MS)


def _ready(url: str, ws: str) -> None:
    sys.stdout.write(msgspec.json.encode({"url": url, "ws": ws}).decode() + "\n")
    sys.stdout.flush()


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"venue: {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
