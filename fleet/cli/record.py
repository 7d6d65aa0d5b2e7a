"""``fleet record``: a network's market data into a file that ``replay`` and ``venue`` read."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.network import URLS


def run(
    path: Path,
    markets: Sequence[str],
    *,
    source: str | None,
    seconds: float | None,
    output: Output,
    fleet: str | None,
) -> None:
    """``source``: a network's name or a URL; None means the venue of a running fleet."""
    from agents.exchange.errors import Unreachable
    from fleet.cli.recorder import Recorded, Refused, record

    if path.exists():
        raise Failure(ExitCode.INVALID, f"{path} exists", "name a new file; none is overwritten")
    network, url = _source(source, fleet)

    async def until_told() -> Recorded:
        task = asyncio.ensure_future(record(_ws(url), network, markets, path, seconds))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        return await task

    say(f"recording {', '.join(markets)} of {url} to {path}; Ctrl-C ends it")
    try:
        done = asyncio.run(until_told())
    except Refused as refused:
        mend = "see fleet markets for what there is"
        path.unlink(missing_ok=True)
        raise Failure(ExitCode.INVALID, f"{url}: {refused}", mend) from None
    except Unreachable as away:
        path.unlink(missing_ok=True)
        raise Failure(ExitCode.OUT_OF_REACH, str(away), "is it up?") from None
    except OSError as error:
        raise Failure(ExitCode.UNEXPECTED, f"{path}: {error.strerror}", "") from None
    if output == "json":
        put_json(
            {"path": str(path), "network": network, "url": url, "coins": list(markets),
             "frames": done.frames, "seconds": done.seconds, "disconnects": done.disconnects}
        )  # fmt: skip
    else:
        gaps = f", {done.disconnects} disconnects" if done.disconnects else ""
        put(f"{path}: {done.frames} frames in {done.seconds:.1f} s{gaps}")


def _source(source: str | None, fleet: str | None) -> tuple[str, str]:
    """Network and URL. Exit 7 if the fleet's gateway, which knows both, does not answer."""
    if source is not None and source in URLS:
        return source, URLS[source]
    if source is not None:
        if urlsplit(source).scheme not in {"http", "https"}:
            mend = f"name {', '.join(URLS)}, or a URL that begins with http"
            raise Failure(ExitCode.INVALID, f"--from {source}: no network", mend)
        return "other", source.rstrip("/")
    from fleet.cli.find import find
    from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable

    folder = find(fleet)
    try:
        status = GatewayClient(folder).status()
    except (Unreachable, ApiFailure) as error:
        mend = "start it with fleet apply, or name a network: --from mainnet"
        text = f"gateway of {folder.root.name}: {error}"
        raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
    return status.network, status.url


def _ws(url: str) -> str:
    """Its WebSocket: ``http`` becomes ``ws``."""
    return "ws" + url.removeprefix("http") + "/ws"
